// Calling a compiled function from Python: numbers in, a number out; arrays in, an array out.
#pragma once

#include <nanobind/nanobind.h>

#include "function.h"

namespace minijit {

/// Calls `function` with one argument per variable.
///
/// Numbers (whatever `float()` takes, text excepted) give a float. If an argument is an array, or anything else NumPy makes one of, all are
/// broadcast and the result is a new float64 array; NumPy is imported only then. Native code runs on arrays without the GIL.
///
/// Raises TypeError for a wrong count or type, and what NumPy raises for shapes that do not fit.
nanobind::object call(const Function& function, const nanobind::args& arguments);

}  // namespace minijit
