// The functions an expression can call, and the words it cannot use as names.
#pragma once

#include <cstddef>
#include <string_view>

#include "expression.h"

namespace minijit {

struct Builtin {
    std::string_view name;
    Operation operation;
    std::size_t least_arguments;
    /// More than `least_arguments` are folded from the left with the two-operand operation.
    bool takes_more;
};

/// The function of this name, or null.
const Builtin* find_builtin(std::string_view name);

/// A word that Python reserves and that can therefore be neither a variable nor a function.
bool is_keyword(std::string_view word);

/// A letter or underscore followed by letters, digits and underscores, all ASCII.
bool is_identifier(std::string_view word);

}  // namespace minijit
