#include "builtins.h"

#include <algorithm>
#include <iterator>

namespace minijit {
namespace {

constexpr Builtin kBuiltins[] = {
    {"sqrt", Operation::SquareRoot, 1, false}, {"sin", Operation::Sine, 1, false},      {"cos", Operation::Cosine, 1, false},
    {"exp", Operation::Exponential, 1, false}, {"log", Operation::Logarithm, 1, false}, {"pow", Operation::Power, 2, false},
    {"min", Operation::Minimum, 2, true},      {"max", Operation::Maximum, 2, true},
};

constexpr std::string_view kKeywords[] = {
    "False", "None", "True",  "and",    "as",   "assert", "async",  "await",    "break", "class", "continue", "def",
    "del",   "elif", "else",  "except", "for",  "from",   "finally", "global",  "if",    "import", "in",      "is",
    "lambda", "nonlocal", "not", "or",  "pass", "raise",  "return", "try",      "while", "with",  "yield",
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

const Builtin* find_builtin(std::string_view name) {
    const auto* found = std::find_if(std::begin(kBuiltins), std::end(kBuiltins), [&](const Builtin& b) { return b.name == name; });
    return found == std::end(kBuiltins) ? nullptr : found;
}

bool is_keyword(std::string_view word) {
    return std::find(std::begin(kKeywords), std::end(kKeywords), word) != std::end(kKeywords);
}

bool is_identifier(std::string_view word) {
    return !word.empty() && is_letter(word.front()) &&
           std::all_of(word.begin(), word.end(), [](char c) { return is_letter(c) || is_digit(c); });
}

}  // namespace minijit
