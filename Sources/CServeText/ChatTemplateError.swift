// Why a conversation cannot be turned into a prompt, apart from errors of the template itself.

/// A problem with a chat template's files or with a conversation.
public enum ChatTemplateError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The checkpoint has no template.
    case missing(model: String)
    /// There are named templates but none that fits.
    case noDefault(names: [String])
    /// A file beside the checkpoint is not what it should be.
    case malformedFile(name: String, problem: String)
    /// A message is not an object.
    case messageNotAnObject(index: Int)
    /// A part of a message's content that this server cannot read.
    case unsupportedPart(message: Int, type: String)
    /// `continue_final_message` without messages.
    case nothingToContinue
    /// `continue_final_message`, but the last message lacks the field, or has no text in it.
    case noFinalText(field: String)
    /// `continue_final_message`, but the template never mentions the field.
    case fieldNotInTemplate(field: String)
    /// `continue_final_message`, but the template changed the last message beyond recognition.
    case finalMessageLost
    /// `continue_final_message` and `add_generation_prompt` at once.
    case continuationAndPrompt

    /// The message that a client or an operator reads.
    public var description: String {
        switch self {
        case .missing(let model):
            "\(model) has no chat template and there is no default one; give a template file with --chat-template, "
                + "or send a finished prompt to /v1/completions"
        case .noDefault(let names):
            "none of the chat templates (\(names.joined(separator: ", "))) is named 'default'; name one with --chat-template"
        case .malformedFile(let name, let problem): "\(name) cannot be read: \(problem)"
        case .messageNotAnObject(let index): "messages[\(index)] must be an object with 'role' and 'content'"
        case .unsupportedPart(let message, let type):
            "messages[\(message)] has a content part of type '\(type)'; this model reads parts of type 'text' only"
        case .nothingToContinue: "continue_final_message is set but there is no message; send at least one"
        case .noFinalText(let field):
            "continue_final_message is set but the last message has no text in '\(field)' to continue"
        case .fieldNotInTemplate(let field):
            "continue_final_message is set to '\(field)', which the chat template does not read"
        case .finalMessageLost:
            "continue_final_message is set but the chat template does not write the last message as it is; "
                + "it may drop parts of it"
        case .continuationAndPrompt:
            "continue_final_message and add_generation_prompt exclude each other; set add_generation_prompt to false"
        }
    }
}
