"""Keeps the serving port: transformers, llama.cpp in process (xllamacpp), vLLM, TGI, any OpenAI address, and a fake that needs none."""
