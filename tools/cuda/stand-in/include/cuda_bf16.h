// Included by kernel.cu where it is run on the CPU: nothing of it is needed there.
