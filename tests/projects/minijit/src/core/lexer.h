// Text to tokens. Knows how numbers, names and operators are spelled, as Python spells them; nothing about their order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace minijit {

enum class TokenKind {
    End,
    Number,
    Name,
    If,
    Else,
    LeftParenthesis,
    RightParenthesis,
    Comma,
    Plus,
    Minus,
    Star,
    Slash,
    DoubleStar,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    EqualEqual,
    NotEqual,
};

struct Token {
    TokenKind kind = TokenKind::End;
    /// Where it begins, in bytes.
    std::size_t offset = 0;
    /// As it stands in the expression; empty at the end.
    std::string_view text;
    /// Number: its value, rounded correctly.
    double number = 0.0;
};

class Lexer {
public:
    /// `text` is UTF-8 and must outlive the lexer and its tokens.
    explicit Lexer(std::string_view text) : text_(text) {}

    /// The next token; `End` again and again after the last. Throws SyntaxError.
    Token next();

    /// Throws a SyntaxError that points at this byte.
    [[noreturn]] void fail(std::size_t offset, const std::string& reason) const;

private:
    Token number();
    Token word();
    Token symbol();
    std::size_t digits(std::size_t at) const;
    char at(std::size_t offset) const { return offset < text_.size() ? text_[offset] : '\0'; }
    /// The character at this byte as a message shows it.
    std::string shown(std::size_t offset) const;

    std::string_view text_;
    std::size_t position_ = 0;
};

}  // namespace minijit
