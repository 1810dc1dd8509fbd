// Files inside the binary: each function returns a file's bytes, which live as long as the process.
#ifndef CASSETS_H
#define CASSETS_H

#include <stddef.h>

/// A file: `length` bytes at `bytes`.
typedef struct {
    const unsigned char *bytes;
    size_t length;
} CAsset;

/// The built-in model's model.safetensors, aligned to 64 bytes.
CAsset cassets_model_weights(void);
/// Its config.json.
CAsset cassets_model_config(void);
/// Its generation_config.json.
CAsset cassets_model_generation_config(void);
/// Its tokenizer.json.
CAsset cassets_model_tokenizer(void);
/// Its tokenizer_config.json, with the chat template.
CAsset cassets_model_tokenizer_config(void);
/// The catalogue of models.
CAsset cassets_models(void);
/// The catalogue of accelerators.
CAsset cassets_hardware_accelerators(void);
/// How accelerators are linked in nodes.
CAsset cassets_hardware_nodes(void);
/// The clouds' instances with their prices.
CAsset cassets_hardware_instances(void);

/// The measured utilisation curves, hardware/utilisation.json.
CAsset cassets_utilisation(void);
/// Engine profiles of hardware/engines.
CAsset cassets_engine_cserve(void);
CAsset cassets_engine_vllm(void);
CAsset cassets_engine_vllm_v0(void);
CAsset cassets_engine_trtllm(void);

/// The file of a workload preset by its place; no bytes behind the last.
CAsset cassets_workload(size_t index);

#endif
