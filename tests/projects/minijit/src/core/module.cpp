// What Python sees of the extension; the package's __init__.py and _core.pyi say the same in Python.

#include <llvm/Config/llvm-config.h>
#include <nanobind/nanobind.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/unique_ptr.h>

#include <memory>
#include <string>
#include <vector>

#include "calls.h"
#include "function.h"
#include "syntax_error.h"

namespace nb = nanobind;
using namespace nb::literals;
using minijit::Function;

namespace {

/// A str as UTF-8. UnicodeEncodeError, which is a ValueError, for a lone surrogate.
std::string utf8(nb::handle text) {
    Py_ssize_t size = 0;
    const char* bytes = PyUnicode_AsUTF8AndSize(text.ptr(), &size);
    if (!bytes) throw nb::python_error();
    return std::string(bytes, static_cast<std::size_t>(size));
}

std::vector<std::string> names(nb::handle variables) {
    if (PyUnicode_Check(variables.ptr())) throw nb::type_error("variables must be a sequence of str, not str itself");
    std::vector<std::string> names;
    for (nb::handle name : variables) {
        if (!PyUnicode_Check(name.ptr())) throw nb::type_error("variables must be a sequence of str");
        names.push_back(utf8(name));
    }
    return names;
}

[[noreturn]] void raise(const minijit::SyntaxError& error, nb::handle text) {
    nb::object type = nb::module_::import_("minijit._errors").attr("ExpressionError");
    nb::object exception = type(error.what(), error.column(), text);
    PyErr_SetObject(type.ptr(), exception.ptr());
    throw nb::python_error();
}

std::unique_ptr<Function> compile(nb::str text, nb::object variables) {
    auto utf8_text = utf8(text);
    auto utf8_names = names(variables);
    try {
        nb::gil_scoped_release unlocked;
        return std::make_unique<Function>(std::move(utf8_text), std::move(utf8_names));
    } catch (const minijit::SyntaxError& error) {
        raise(error, text);
    }
}

nb::str expression(const Function& function) {
    const auto& text = function.expression().text;
    return nb::str(text.data(), text.size());
}

nb::tuple variables(const Function& function) {
    nb::list names;
    for (const auto& name : function.expression().variables) names.append(nb::str(name.data(), name.size()));
    return nb::tuple(names);
}

nb::object repr(const Function& function) {
    return nb::str("minijit.compile({!r}, {!r})").attr("format")(expression(function), nb::list(variables(function)));
}

// A function is pickled as what it was compiled from, and compiled again where it is loaded.
nb::tuple get_state(const Function& function) { return nb::make_tuple(expression(function), variables(function)); }

void set_state(Function& function, nb::tuple state) {
    if (state.size() != 2 || !PyUnicode_Check(nb::object(state[0]).ptr())) throw nb::type_error("not the state of a Function");
    auto text = utf8(state[0]);
    auto variables = names(nb::object(state[1]));
    nb::gil_scoped_release unlocked;
    new (&function) Function(std::move(text), std::move(variables));
}

}  // namespace

// Without the GIL on free-threaded builds: a Function never changes, and LLVM's session locks itself.
NB_MODULE(_core, m) {
    m.doc() = "The compiled part of minijit.";
    m.attr("__version__") = MINIJIT_VERSION;
    m.attr("llvm_version") = LLVM_VERSION_STRING;
#ifdef NDEBUG
    // Functions that are alive when the interpreter ends are no news to a user.
    nb::set_leak_warnings(false);
#endif

    nb::class_<Function>(m, "Function", nb::is_final(), nb::is_weak_referenceable(), "An expression, compiled. Call it with one argument per variable.")
        .def("__call__", &minijit::call, nb::sig("def __call__(self, *arguments: object) -> typing.Any"))
        .def("__repr__", &repr)
        .def("__getstate__", &get_state)
        .def("__setstate__", &set_state)
        .def_prop_ro("expression", &expression, "The text it was compiled from.")
        .def_prop_ro("variables", &variables, "The names of its parameters, in order.")
        .def_prop_ro("ir", &Function::ir, nb::call_guard<nb::gil_scoped_release>(), "The optimised LLVM IR.")
        .def_prop_ro("asm", &Function::assembly, nb::call_guard<nb::gil_scoped_release>(), "The assembly code for this machine.");

    m.def("compile", &compile, "expression"_a, "variables"_a = nb::tuple(),
          "Compiles an expression of the named variables to native code.");
}
