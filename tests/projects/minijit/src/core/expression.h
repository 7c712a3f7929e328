// A parsed expression: a flat list of operations, operands before their users.
//
// The list needs no recursion to walk, print or destroy, so the depth of an expression is the parser's concern alone. A value that is used
// twice (the middle of `a < b < c`) is one node with two users.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace minijit {

enum class Operation : std::uint8_t {
    // leaves
    Constant,
    Variable,
    // on numbers
    Negate,
    Add,
    Subtract,
    Multiply,
    Divide,
    Power,
    SquareRoot,
    Sine,
    Cosine,
    Exponential,
    Logarithm,
    Minimum,
    Maximum,
    // on numbers, giving a truth value
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    Equal,
    NotEqual,
    // on truth values
    And,
    // operands: condition, value if true, value if false
    Select,
};

using NodeIndex = std::uint32_t;

struct Node {
    Operation operation;
    /// Indices of earlier nodes; how many of them count follows from the operation.
    std::array<NodeIndex, 3> operands{};
    /// Constant: its value.
    double value = 0.0;
    /// Variable: its position among the variables.
    std::uint32_t variable = 0;
};

struct Expression {
    std::string text;
    std::vector<std::string> variables;
    /// Never empty; the last node is the result.
    std::vector<Node> nodes;
};

}  // namespace minijit
