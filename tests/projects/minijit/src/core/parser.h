// Tokens to an expression, with Python's grammar and precedence.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "expression.h"

namespace minijit {

/// How deep parentheses, calls, unary operators, exponents and `else` branches can nest: as deep as parentheses can in CPython. It bounds
/// the parser's stack.
constexpr std::size_t kNestingLimit = 200;

/// How many operations and operands an expression can have. It bounds the time and stack that LLVM needs.
constexpr std::size_t kNodeLimit = 10'000;

/// Parses UTF-8 text in which `variables` are known.
///
/// Throws SyntaxError for the text and std::invalid_argument for the variables: each must be an identifier, none a keyword or a function's
/// name, none twice.
Expression parse(std::string text, std::vector<std::string> variables);

}  // namespace minijit
