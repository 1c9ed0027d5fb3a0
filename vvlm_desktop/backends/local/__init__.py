"""Video language models on this computer: transformers, peft and llguidance behind one backend."""
