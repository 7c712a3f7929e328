#include "parser.h"

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unordered_map>

#include "builtins.h"
#include "lexer.h"

namespace minijit {
namespace {

using Variables = std::unordered_map<std::string_view, std::uint32_t>;

Variables index(const std::vector<std::string>& names) {
    Variables variables;
    for (std::size_t i = 0; i < names.size(); ++i) {
        const auto& name = names[i];
        const auto refuse = [&](const char* why) {
            std::string shown = name;
            std::replace(shown.begin(), shown.end(), '\0', '?');  // which would end the message
            throw std::invalid_argument("variable " + std::to_string(i + 1) + " is `" + shown + "`, which " + why);
        };
        if (!is_identifier(name)) refuse("is not a name of ASCII letters, digits and underscores");
        if (is_keyword(name)) refuse("is a keyword");
        if (find_builtin(name)) refuse("is the name of a function");
        if (!variables.emplace(name, static_cast<std::uint32_t>(i)).second) refuse("is there twice");
    }
    return variables;
}

std::optional<Operation> comparison(TokenKind kind) {
    switch (kind) {
        case TokenKind::Less: return Operation::Less;
        case TokenKind::LessEqual: return Operation::LessEqual;
        case TokenKind::Greater: return Operation::Greater;
        case TokenKind::GreaterEqual: return Operation::GreaterEqual;
        case TokenKind::EqualEqual: return Operation::Equal;
        case TokenKind::NotEqual: return Operation::NotEqual;
        default: return std::nullopt;
    }
}

/// Recursive descent. The grammar, as in Python's reference:
///
///     expression: comparison ["if" comparison "else" expression]
///     comparison: sum (("<" | "<=" | ">" | ">=" | "==" | "!=") sum)*
///     sum:        product (("+" | "-") product)*
///     product:    factor (("*" | "/") factor)*
///     factor:     ("+" | "-") factor | power
///     power:      primary ["**" factor]
///     primary:    NUMBER | NAME | NAME "(" expression ("," expression)* [","] ")" | "(" expression ")"
class Parser {
public:
    Parser(std::string_view text, const Variables& variables) : lexer_(text), variables_(variables), token_(lexer_.next()) {}

    std::vector<Node> parse() {
        expression();
        if (token_.kind != TokenKind::End) unexpected("an operator");
        return std::move(nodes_);
    }

private:
    NodeIndex expression() {
        const NodeIndex if_true = comparison();
        if (token_.kind != TokenKind::If) return if_true;
        advance();
        const NodeIndex condition = comparison();
        expect(TokenKind::Else, "`else`");
        const NodeIndex if_false = nested(&Parser::expression);
        return add(Operation::Select, {condition, if_true, if_false});
    }

    NodeIndex comparison() {
        NodeIndex left = sum();
        std::optional<NodeIndex> all;
        while (const auto operation = minijit::comparison(token_.kind)) {
            advance();
            const NodeIndex right = sum();
            const NodeIndex one = add(*operation, {left, right});
            all = all ? add(Operation::And, {*all, one}) : one;
            left = right;
        }
        return all.value_or(left);
    }

    NodeIndex sum() {
        NodeIndex left = product();
        for (;;) {
            const TokenKind kind = token_.kind;
            if (kind != TokenKind::Plus && kind != TokenKind::Minus) return left;
            advance();
            const NodeIndex right = product();
            left = add(kind == TokenKind::Plus ? Operation::Add : Operation::Subtract, {left, right});
        }
    }

    NodeIndex product() {
        NodeIndex left = factor();
        for (;;) {
            const TokenKind kind = token_.kind;
            if (kind != TokenKind::Star && kind != TokenKind::Slash) return left;
            advance();
            const NodeIndex right = factor();
            left = add(kind == TokenKind::Star ? Operation::Multiply : Operation::Divide, {left, right});
        }
    }

    NodeIndex factor() {
        const TokenKind kind = token_.kind;
        if (kind == TokenKind::Plus || kind == TokenKind::Minus) {
            advance();
            const NodeIndex operand = nested(&Parser::factor);
            return kind == TokenKind::Minus ? add(Operation::Negate, {operand}) : operand;
        }
        const NodeIndex base = primary();
        if (token_.kind != TokenKind::DoubleStar) return base;
        advance();
        const NodeIndex exponent = nested(&Parser::factor);
        return add(Operation::Power, {base, exponent});
    }

    NodeIndex primary() {
        const Token token = token_;
        switch (token.kind) {
            case TokenKind::Number: {
                advance();
                const NodeIndex node = add(Operation::Constant, {});
                nodes_[node].value = token.number;
                return node;
            }
            case TokenKind::Name:
                advance();
                return token_.kind == TokenKind::LeftParenthesis ? call(token) : variable(token);
            case TokenKind::LeftParenthesis: {
                advance();
                const NodeIndex inner = nested(&Parser::expression);
                expect(TokenKind::RightParenthesis, "`)`");
                return inner;
            }
            default: unexpected("a value");
        }
    }

    NodeIndex variable(const Token& name) {
        const auto found = variables_.find(name.text);
        if (found == variables_.end()) {
            const std::string shown = "`" + std::string(name.text) + "`";
            lexer_.fail(name.offset, find_builtin(name.text) ? shown + " is a function and must be called" : "unknown name " + shown);
        }
        const NodeIndex node = add(Operation::Variable, {});
        nodes_[node].variable = found->second;
        return node;
    }

    NodeIndex call(const Token& name) {
        const Builtin* builtin = find_builtin(name.text);
        if (!builtin) lexer_.fail(name.offset, "unknown function `" + std::string(name.text) + "`");
        advance();
        std::vector<NodeIndex> arguments;
        while (token_.kind != TokenKind::RightParenthesis) {
            arguments.push_back(nested(&Parser::expression));
            if (token_.kind != TokenKind::Comma) break;
            advance();
        }
        expect(TokenKind::RightParenthesis, "`,` or `)`");
        check_count(name, *builtin, arguments.size());
        if (builtin->least_arguments == 1) return add(builtin->operation, {arguments[0]});
        NodeIndex folded = arguments[0];
        for (std::size_t i = 1; i < arguments.size(); ++i) folded = add(builtin->operation, {folded, arguments[i]});
        return folded;
    }

    void check_count(const Token& name, const Builtin& builtin, std::size_t given) const {
        const std::size_t least = builtin.least_arguments;
        if (given == least || (given > least && builtin.takes_more)) return;
        lexer_.fail(name.offset, "`" + std::string(name.text) + "` takes " + (builtin.takes_more ? "at least " : "") +
                                     std::to_string(least) + (least == 1 ? " argument, " : " arguments, ") + std::to_string(given) +
                                     (given == 1 ? " is given" : " are given"));
    }

    NodeIndex nested(NodeIndex (Parser::*rule)()) {
        if (nesting_ == kNestingLimit) {
            lexer_.fail(token_.offset, "nested too deeply (more than " + std::to_string(kNestingLimit) + " levels)");
        }
        ++nesting_;
        const NodeIndex node = (this->*rule)();
        --nesting_;
        return node;
    }

    NodeIndex add(Operation operation, std::array<NodeIndex, 3> operands) {
        if (nodes_.size() == kNodeLimit) {
            lexer_.fail(token_.offset, "too large (more than " + std::to_string(kNodeLimit) + " operations and operands)");
        }
        nodes_.push_back(Node{operation, operands});
        return static_cast<NodeIndex>(nodes_.size() - 1);
    }

    void advance() { token_ = lexer_.next(); }

    void expect(TokenKind kind, const char* what) {
        if (token_.kind != kind) unexpected(what);
        advance();
    }

    [[noreturn]] void unexpected(const char* wanted) const {
        const std::string found = token_.kind == TokenKind::End ? "the end" : "`" + std::string(token_.text) + "`";
        lexer_.fail(token_.offset, "expected " + std::string(wanted) + ", found " + found);
    }

    Lexer lexer_;
    const Variables& variables_;
    Token token_;
    std::vector<Node> nodes_;
    std::size_t nesting_ = 0;
};

}  // namespace

Expression parse(std::string text, std::vector<std::string> variables) {
    auto nodes = Parser(text, index(variables)).parse();
    return Expression{std::move(text), std::move(variables), std::move(nodes)};
}

}  // namespace minijit
