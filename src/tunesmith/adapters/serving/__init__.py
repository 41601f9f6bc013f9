"""Keeps the serving port: transformers, llama.cpp in process (xllamacpp), and a fake that needs neither."""
