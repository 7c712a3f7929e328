#include "codegen.h"

#include <llvm/IR/DerivedTypes.h>
#include <llvm/IR/Function.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/Intrinsics.h>

#include <stdexcept>
#include <string>
#include <vector>

namespace minijit {
namespace {

using Builder = llvm::IRBuilder<>;

/// The address of one or many values of this type.
llvm::PointerType* pointer_to(llvm::Type* type) {
#if LLVM_VERSION_MAJOR >= 15
    return llvm::PointerType::get(type->getContext(), 0);
#else
    return llvm::PointerType::getUnqual(type);
#endif
}

/// A comparison's outcome counts as 1 or 0 in arithmetic, as Python's bool does.
llvm::Value* as_number(Builder& builder, llvm::Value* value) {
    return value->getType()->isDoubleTy() ? value : builder.CreateUIToFP(value, builder.getDoubleTy());
}

/// Every number but zero is true, NaN too, as in Python.
llvm::Value* as_truth(Builder& builder, llvm::Value* value) {
    if (!value->getType()->isDoubleTy()) return value;
    return builder.CreateFCmpUNE(value, llvm::ConstantFP::get(builder.getDoubleTy(), 0.0));
}

/// Emits one operation; `truth` and `number` give an operand's value by position.
///
/// Everything here is free of side effects, so both sides of a Select are computed: there is nothing in an expression that evaluation
/// could get wrong by computing too much, and straight code vectorises.
template <typename Number, typename Truth>
llvm::Value* emit(Builder& builder, Operation operation, const Number& number, const Truth& truth) {
    const auto unary = [&](llvm::Intrinsic::ID id) { return builder.CreateUnaryIntrinsic(id, number(0)); };
    switch (operation) {
        case Operation::Negate: return builder.CreateFNeg(number(0));
        case Operation::Add: return builder.CreateFAdd(number(0), number(1));
        case Operation::Subtract: return builder.CreateFSub(number(0), number(1));
        case Operation::Multiply: return builder.CreateFMul(number(0), number(1));
        case Operation::Divide: return builder.CreateFDiv(number(0), number(1));
        case Operation::Power: return builder.CreateBinaryIntrinsic(llvm::Intrinsic::pow, number(0), number(1));
        case Operation::SquareRoot: return unary(llvm::Intrinsic::sqrt);
        case Operation::Sine: return unary(llvm::Intrinsic::sin);
        case Operation::Cosine: return unary(llvm::Intrinsic::cos);
        case Operation::Exponential: return unary(llvm::Intrinsic::exp);
        case Operation::Logarithm: return unary(llvm::Intrinsic::log);
        // Python's min and max keep the first of equal operands and let NaN win only where it comes first.
        case Operation::Minimum:
            return builder.CreateSelect(builder.CreateFCmpOLT(number(1), number(0)), number(1), number(0));
        case Operation::Maximum:
            return builder.CreateSelect(builder.CreateFCmpOGT(number(1), number(0)), number(1), number(0));
        case Operation::Less: return builder.CreateFCmpOLT(number(0), number(1));
        case Operation::LessEqual: return builder.CreateFCmpOLE(number(0), number(1));
        case Operation::Greater: return builder.CreateFCmpOGT(number(0), number(1));
        case Operation::GreaterEqual: return builder.CreateFCmpOGE(number(0), number(1));
        case Operation::Equal: return builder.CreateFCmpOEQ(number(0), number(1));
        case Operation::NotEqual: return builder.CreateFCmpUNE(number(0), number(1));
        case Operation::And: return builder.CreateAnd(truth(0), truth(1));
        case Operation::Select: return builder.CreateSelect(truth(0), number(1), number(2));
        case Operation::Constant:
        case Operation::Variable: break;
    }
    throw std::logic_error("a leaf is not an operation");
}

/// Emits the whole expression at the builder's place.
llvm::Value* emit(Builder& builder, const Expression& expression, const std::vector<llvm::Value*>& arguments) {
    std::vector<llvm::Value*> values;
    values.reserve(expression.nodes.size());
    for (const Node& node : expression.nodes) {
        const auto number = [&](std::size_t i) { return as_number(builder, values[node.operands[i]]); };
        const auto truth = [&](std::size_t i) { return as_truth(builder, values[node.operands[i]]); };
        switch (node.operation) {
            case Operation::Constant: values.push_back(llvm::ConstantFP::get(builder.getDoubleTy(), node.value)); break;
            case Operation::Variable: values.push_back(arguments[node.variable]); break;
            default: values.push_back(emit(builder, node.operation, number, truth));
        }
    }
    return as_number(builder, values.back());
}

llvm::Function* declare(llvm::Module& module, llvm::Type* result, std::initializer_list<llvm::Type*> parameters, const char* name) {
    auto* type = llvm::FunctionType::get(result, llvm::ArrayRef<llvm::Type*>(parameters.begin(), parameters.size()), false);
    auto* function = llvm::Function::Create(type, llvm::GlobalValue::ExternalLinkage, name, module);
    function->setDoesNotThrow();  // and therefore needs no unwind tables to be registered
    return function;
}

void generate_scalar(const Expression& expression, llvm::Module& module) {
    auto& context = module.getContext();
    auto* number = llvm::Type::getDoubleTy(context);
    auto* function = declare(module, number, {pointer_to(number)}, kScalarSymbol);
    auto* in = function->getArg(0);
    in->setName("arguments");

    Builder builder(llvm::BasicBlock::Create(context, "entry", function));
    std::vector<llvm::Value*> arguments;
    for (std::size_t i = 0; i < expression.variables.size(); ++i) {
        auto* address = builder.CreateConstInBoundsGEP1_64(number, in, i);
        arguments.push_back(builder.CreateLoad(number, address, expression.variables[i]));
    }
    builder.CreateRet(emit(builder, expression, arguments));
}

void generate_array(const Expression& expression, llvm::Module& module) {
    auto& context = module.getContext();
    auto* number = llvm::Type::getDoubleTy(context);
    auto* integer = llvm::Type::getInt64Ty(context);
    auto* numbers = pointer_to(number);
    auto* function = declare(module, llvm::Type::getVoidTy(context), {numbers, pointer_to(numbers), pointer_to(integer), integer}, kArraySymbol);
    auto *out = function->getArg(0), *in = function->getArg(1), *steps = function->getArg(2), *count = function->getArg(3);
    out->setName("out");
    in->setName("arguments");
    steps->setName("steps");
    count->setName("count");
    out->addAttr(llvm::Attribute::NoAlias);  // freshly allocated by the caller

    auto* entry = llvm::BasicBlock::Create(context, "entry", function);
    auto* loop = llvm::BasicBlock::Create(context, "loop", function);
    auto* done = llvm::BasicBlock::Create(context, "done", function);

    Builder builder(entry);
    std::vector<llvm::Value*> bases, strides;
    for (std::size_t i = 0; i < expression.variables.size(); ++i) {
        bases.push_back(builder.CreateLoad(numbers, builder.CreateConstInBoundsGEP1_64(numbers, in, i)));
        strides.push_back(builder.CreateLoad(integer, builder.CreateConstInBoundsGEP1_64(integer, steps, i)));
    }
    builder.CreateCondBr(builder.CreateICmpSGT(count, builder.getInt64(0)), loop, done);

    builder.SetInsertPoint(loop);
    auto* position = builder.CreatePHI(integer, 2, "i");
    position->addIncoming(builder.getInt64(0), entry);
    std::vector<llvm::Value*> arguments;
    for (std::size_t i = 0; i < expression.variables.size(); ++i) {
        auto* address = builder.CreateInBoundsGEP(number, bases[i], builder.CreateNSWMul(position, strides[i]));
        arguments.push_back(builder.CreateLoad(number, address, expression.variables[i]));
    }
    builder.CreateStore(emit(builder, expression, arguments), builder.CreateInBoundsGEP(number, out, position));
    auto* next = builder.CreateNSWAdd(position, builder.getInt64(1));
    position->addIncoming(next, loop);
    builder.CreateCondBr(builder.CreateICmpSLT(next, count), loop, done);

    builder.SetInsertPoint(done);
    builder.CreateRetVoid();
}

}  // namespace

std::unique_ptr<llvm::Module> generate(const Expression& expression, llvm::LLVMContext& context) {
    auto module = std::make_unique<llvm::Module>("minijit", context);
    generate_scalar(expression, *module);
    generate_array(expression, *module);
    return module;
}

}  // namespace minijit
