import type { Export } from "./queries";

interface Command {
  tool: string;
  command: string;
}

const nameOf = (path: string) => path.replaceAll("\\", "/").split("/").at(-1) ?? path;
const plain = (source: string) =>
  source
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "") || "model";

/** How each artefact is run elsewhere, to be copied as it is. */
export function commandsFor({ format, path, source }: Pick<Export, "format" | "path" | "source">): Command[] {
  const file = nameOf(path);
  const model = plain(source);
  switch (format) {
    case "gguf":
      return [
        { tool: "llama.cpp", command: `llama-server -m ${file} --jinja` },
        {
          tool: "Ollama",
          command: `echo "FROM ./${file}" > Modelfile\nollama create ${model} -f Modelfile\nollama run ${model}`,
        },
        { tool: "vLLM", command: `vllm serve ./${file} --tokenizer TOKENIZER_FOLDER` },
      ];
    case "ollama":
      return [
        { tool: "Ollama", command: `cd ${file}\nollama create ${model} -f Modelfile\nollama run ${model}` },
        { tool: "llama.cpp", command: `llama-server -m ${file}/*.gguf --jinja` },
      ];
    case "zip":
      return [
        {
          tool: "Python",
          command: `unzip ${file} && cd */\npip install -r requirements.txt\npython run.py "Hello!"`,
        },
      ];
    case "onnx":
      return [
        {
          tool: "onnxruntime",
          command: `cd ${file}\npip install onnxruntime tokenizers jinja2 numpy\npython usage.py "Hello!"`,
        },
      ];
    case "adapter":
      return [
        { tool: "vLLM", command: `vllm serve BASE_MODEL --enable-lora --lora-modules ${model}=./${file}` },
        { tool: "PEFT", command: `PeftModel.from_pretrained(base, "./${file}")` },
      ];
    case "mlx":
      return [{ tool: "MLX", command: `mlx_lm.generate --model ./${file} --prompt "Hello!"` }];
    default:
      return [
        { tool: "vLLM", command: `vllm serve ./${file}` },
        { tool: "transformers", command: `AutoModelForCausalLM.from_pretrained("./${file}")` },
      ];
  }
}
