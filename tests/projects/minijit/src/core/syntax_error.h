// What is wrong with an expression, and where.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace minijit {

/// The text is not an expression this package compiles. `what()` says why, without the place.
class SyntaxError : public std::runtime_error {
public:
    SyntaxError(const std::string& reason, std::size_t column) : std::runtime_error(reason), column_(column) {}

    /// The place, counted in characters (not bytes) from 1, as Python counts `SyntaxError.offset`.
    std::size_t column() const { return column_; }

private:
    std::size_t column_;
};

}  // namespace minijit
