// TEMPORARY until the template engine lands.
import CServeCore
import CServeServer
import CServeText

extension ModelLoader {
    func template(_ tokenizer: Tokenizer) throws -> (any ChatRendering)? { TemporaryTemplate() }
}
struct TemporaryTemplate: ChatRendering {
    func render(_ input: ChatTemplateInput) throws -> [TextSegment] {
        var s: [TextSegment] = [TextSegment(text: "<|begin_of_text|>", mayYieldSpecialTokens: true)]
        for m in input.messages {
            s.append(TextSegment(text: "<|im_start|>" + (m["role"]?.stringValue ?? "") + "\n", mayYieldSpecialTokens: true))
            s.append(TextSegment(text: m["content"]?.stringValue ?? "", mayYieldSpecialTokens: false))
            s.append(TextSegment(text: "<|im_end|>\n", mayYieldSpecialTokens: true))
        }
        s.append(TextSegment(text: "<|im_start|>assistant\n", mayYieldSpecialTokens: true))
        return s
    }
}
