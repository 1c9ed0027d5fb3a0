"""VLM servers: any endpoint that speaks OpenAI's protocol (vLLM, SGLang, llama.cpp, transformers serve)."""
