// A compiled expression: what was written, and the code made of it.
#pragma once

#include <string>
#include <vector>

#include "expression.h"
#include "jit.h"

namespace minijit {

/// Immutable once made, so any number of threads may use it.
class Function {
public:
    /// Parses, optimises and links. Throws what `parse` throws, and JitError.
    Function(std::string text, std::vector<std::string> variables);

    const Expression& expression() const { return expression_; }
    Code::Scalar scalar() const { return code_.scalar(); }
    Code::Array array() const { return code_.array(); }

    /// The optimised IR, and the assembly of this machine. Made again at each call, by the steps that made the code: a function that nobody
    /// looks at carries neither.
    std::string ir() const;
    std::string assembly() const;

private:
    Expression expression_;
    Code code_;
};

}  // namespace minijit
