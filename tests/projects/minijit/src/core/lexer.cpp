#include "lexer.h"

#include <llvm/ADT/APFloat.h>
#include <llvm/Support/Error.h>

#include <algorithm>
#include <cstdio>

#include "builtins.h"
#include "syntax_error.h"

namespace minijit {
namespace {

struct Symbol {
    std::string_view text;
    TokenKind kind;
};

// Longer symbols before their prefixes.
constexpr Symbol kSymbols[] = {
    {"**", TokenKind::DoubleStar},     {"<=", TokenKind::LessEqual}, {">=", TokenKind::GreaterEqual},
    {"==", TokenKind::EqualEqual},     {"!=", TokenKind::NotEqual},  {"(", TokenKind::LeftParenthesis},
    {")", TokenKind::RightParenthesis}, {",", TokenKind::Comma},     {"+", TokenKind::Plus},
    {"-", TokenKind::Minus},           {"*", TokenKind::Star},       {"/", TokenKind::Slash},
    {"<", TokenKind::Less},            {">", TokenKind::Greater},
};

// Python's, which this package does not have: worth a better message than "unexpected character".
constexpr std::string_view kForeignOperators[] = {"//", "%", "@", "&", "|", "^", "~", "<<", ">>", ":="};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return is_identifier(std::string_view(&c, 1)) || is_digit(c); }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f'; }
bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

double parse_decimal(const std::string& digits) {
    // Not strtod: that reads the decimal point of the locale.
    llvm::APFloat value(llvm::APFloat::IEEEdouble());
    llvm::cantFail(value.convertFromString(digits, llvm::APFloat::rmNearestTiesToEven).takeError());
    return value.convertToDouble();
}

}  // namespace

void Lexer::fail(std::size_t offset, const std::string& reason) const {
    const auto before = text_.substr(0, offset);
    const auto characters = before.size() - std::count_if(before.begin(), before.end(), is_continuation);
    throw SyntaxError(reason, characters + 1);
}

std::string Lexer::shown(std::size_t offset) const {
    std::size_t end = offset + 1;
    while (end < text_.size() && is_continuation(text_[end])) ++end;
    const auto lead = static_cast<unsigned char>(text_[offset]);
    if (lead < 0x20 || lead == 0x7F) {
        char escaped[8];
        std::snprintf(escaped, sizeof escaped, "\\x%02x", lead);
        return escaped;
    }
    return std::string(text_.substr(offset, end - offset));
}

Token Lexer::next() {
    while (is_space(at(position_))) ++position_;
    if (position_ >= text_.size()) return Token{TokenKind::End, text_.size(), {}, 0.0};
    const char c = at(position_);
    Token token = is_digit(c) || (c == '.' && is_digit(at(position_ + 1))) ? number() : is_word(c) ? word() : symbol();
    position_ += token.text.size();
    return token;
}

/// The end of `digit (["_"] digit)*` that begins here; `at` itself if no digit does.
std::size_t Lexer::digits(std::size_t offset) const {
    if (!is_digit(at(offset))) return offset;
    while (is_digit(at(offset)) || (at(offset) == '_' && is_digit(at(offset + 1)))) ++offset;
    return offset;
}

Token Lexer::number() {
    const std::size_t whole = digits(position_);
    std::size_t end = whole;
    if (at(end) == '.') end = digits(end + 1);
    if (at(end) == 'e' || at(end) == 'E') {
        const std::size_t sign = at(end + 1) == '+' || at(end + 1) == '-' ? 1 : 0;
        const std::size_t exponent = digits(end + 1 + sign);
        if (exponent > end + 1 + sign) end = exponent;
    }
    if (is_word(at(end))) fail(end, "a number is followed by `" + shown(end) + "` without an operator between them");

    const auto text = text_.substr(position_, end - position_);
    if (end == whole && text.size() > 1 && text[0] == '0' && text.find_first_not_of("0_") != std::string_view::npos) {
        fail(position_, "a whole number cannot begin with a zero");
    }
    std::string plain(text);
    plain.erase(std::remove(plain.begin(), plain.end(), '_'), plain.end());
    return Token{TokenKind::Number, position_, text, parse_decimal(plain)};
}

Token Lexer::word() {
    std::size_t end = position_;
    while (is_word(at(end))) ++end;
    const auto text = text_.substr(position_, end - position_);
    if (text == "if") return Token{TokenKind::If, position_, text, 0.0};
    if (text == "else") return Token{TokenKind::Else, position_, text, 0.0};
    if (is_keyword(text)) fail(position_, "`" + std::string(text) + "` is not supported");
    return Token{TokenKind::Name, position_, text, 0.0};
}

Token Lexer::symbol() {
    const auto rest = text_.substr(position_);
    for (const auto foreign : kForeignOperators) {
        if (rest.substr(0, foreign.size()) == foreign) fail(position_, "the operator `" + std::string(foreign) + "` is not supported");
    }
    for (const auto& symbol : kSymbols) {
        if (rest.substr(0, symbol.text.size()) == symbol.text) {
            return Token{symbol.kind, position_, rest.substr(0, symbol.text.size()), 0.0};
        }
    }
    if (rest[0] == '=') fail(position_, "`=` is not an operator; equality is `==`");
    fail(position_, "unexpected character `" + shown(position_) + "`");
}

}  // namespace minijit
