#include "calls.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace minijit {
namespace {

namespace nb = nanobind;

void check_count(const Function& function, std::size_t given) {
    const auto& variables = function.expression().variables;
    if (given == variables.size()) return;
    std::string names;
    for (const auto& name : variables) names += (names.empty() ? "" : ", ") + name;
    const std::string message = "takes " + std::to_string(variables.size()) + (variables.size() == 1 ? " argument" : " arguments") +
                                (names.empty() ? "" : " (" + names + ")") + ", " + std::to_string(given) +
                                (given == 1 ? " was given" : " were given");
    throw nb::type_error(message.c_str());
}

[[noreturn]] void refuse(const Function& function, std::size_t position, nb::handle argument, const char* why) {
    const std::string message = function.expression().variables[position] + " must be a number or an array, not " +
                                nb::type_name(argument.type()).c_str() + why;
    throw nb::type_error(message.c_str());
}

bool looks_like_array(nb::handle argument) {
    return PyObject_CheckBuffer(argument.ptr()) || PySequence_Check(argument.ptr()) || nb::hasattr(argument, "__array__");
}

/// The argument's value if it is a number; false if it should go to NumPy.
bool read_number(const Function& function, std::size_t position, nb::handle argument, double& value) {
    PyObject* object = argument.ptr();
    if (PyFloat_Check(object)) {
        value = PyFloat_AS_DOUBLE(object);
        return true;
    }
    if (PyLong_Check(object)) {
        value = PyLong_AsDouble(object);
    } else {
        if (PyUnicode_Check(object) || PyBytes_Check(object) || PyByteArray_Check(object)) refuse(function, position, argument, "");
        if (looks_like_array(argument)) return false;
        const auto* slots = Py_TYPE(object)->tp_as_number;
        if (!slots || !(slots->nb_float || slots->nb_index)) refuse(function, position, argument, "");
        value = PyFloat_AsDouble(object);
    }
    if (value == -1.0 && PyErr_Occurred()) throw nb::python_error();
    return true;
}

/// A C-contiguous buffer, held for as long as native code may touch it.
class Buffer {
public:
    Buffer(nb::handle array, int flags) {
        if (PyObject_GetBuffer(array.ptr(), &view_, PyBUF_C_CONTIGUOUS | flags)) throw nb::python_error();
    }
    ~Buffer() { PyBuffer_Release(&view_); }
    Buffer(const Buffer&) = delete;
    Buffer& operator=(const Buffer&) = delete;

    double* data() const { return static_cast<double*>(view_.buf); }
    std::int64_t count() const { return static_cast<std::int64_t>(view_.len / static_cast<Py_ssize_t>(sizeof(double))); }

private:
    Py_buffer view_{};
};

/// NumPy's conversions, and the few calls made to it.
class NumPy {
public:
    explicit NumPy(const Function& function, std::size_t position, nb::handle argument) {
        try {
            numpy_ = nb::module_::import_("numpy");
        } catch (nb::python_error& error) {
            if (!error.matches(PyExc_ImportError)) throw;
            refuse(function, position, argument, " (arrays need NumPy, which is not installed)");
        }
    }

    /// As float64 in native byte order; TypeError for what is no real number.
    nb::object array(nb::handle object) const {
        return numpy_.attr("asarray")(object).attr("astype")("float64", nb::arg("casting") = "same_kind", nb::arg("copy") = false);
    }
    nb::object contiguous(nb::handle array) const {
        return numpy_.attr("require")(array, nb::arg("requirements") = nb::make_tuple("C_CONTIGUOUS", "ALIGNED"));
    }
    nb::list broadcast(const nb::list& arrays) const { return nb::list(numpy_.attr("broadcast_arrays")(*arrays)); }
    nb::object empty(nb::handle shape) const { return numpy_.attr("empty")(shape, "float64"); }

private:
    nb::object numpy_;
};

nb::object call_with_numpy(const Function& function, const nb::args& arguments, const NumPy& numpy) {
    nb::list arrays;
    bool same_shape = true;
    nb::object shape;
    for (nb::handle argument : arguments) {
        nb::object array = numpy.array(argument);
        arrays.append(array);
        if (nb::cast<int>(array.attr("ndim")) == 0) continue;
        nb::object this_shape = array.attr("shape");
        if (!shape.is_valid()) {
            shape = this_shape;
        } else if (!shape.equal(this_shape)) {
            same_shape = false;
        }
    }
    if (!same_shape) {
        arrays = numpy.broadcast(arrays);
        shape = nb::object(arrays[0].attr("shape"));
    }

    // Views must stay where they are, so: objects first, then buffers.
    std::vector<nb::object> owners;
    for (nb::handle array : arrays) owners.push_back(numpy.contiguous(array));
    nb::object result = shape.is_valid() ? numpy.empty(shape) : nb::object();

    std::vector<std::unique_ptr<Buffer>> buffers;
    std::vector<const double*> starts;
    std::vector<std::int64_t> steps;
    for (const auto& owner : owners) {
        buffers.push_back(std::make_unique<Buffer>(owner, PyBUF_SIMPLE));
        starts.push_back(buffers.back()->data());
        steps.push_back(nb::cast<int>(owner.attr("ndim")) == 0 ? 0 : 1);
    }
    if (!result.is_valid()) {
        // Nothing but NumPy's own scalars and arrays without a dimension.
        std::vector<double> numbers;
        for (const double* start : starts) numbers.push_back(*start);
        return nb::float_(function.scalar()(numbers.data()));
    }
    {
        Buffer out(result, PyBUF_WRITABLE);
        nb::gil_scoped_release unlocked;
        function.array()(out.data(), starts.data(), steps.data(), out.count());
    }
    return result;
}

}  // namespace

nb::object call(const Function& function, const nb::args& arguments) {
    const std::size_t count = arguments.size();
    check_count(function, count);
    constexpr std::size_t kFew = 8;
    double few[kFew];
    std::vector<double> many(count > kFew ? count : 0);
    double* numbers = count > kFew ? many.data() : few;
    for (std::size_t i = 0; i < count; ++i) {
        nb::handle argument = arguments[i];
        if (!read_number(function, i, argument, numbers[i])) return call_with_numpy(function, arguments, NumPy(function, i, argument));
    }
    return nb::float_(function.scalar()(numbers));
}

}  // namespace minijit
