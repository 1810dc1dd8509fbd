// The built-in model and the catalogues, embedded so that the binary alone serves and plans. Edits to the files rebuild
// this one.
#include "CAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

// Weights are read in place: 64 bytes is a cache line and the alignment of every packed tensor.
static const _Alignas(64) unsigned char weights[] = {
#embed "../../Assets/model/model.safetensors"
};
static const unsigned char config[] = {
#embed "../../Assets/model/config.json"
};
static const unsigned char generation_config[] = {
#embed "../../Assets/model/generation_config.json"
};
static const unsigned char tokenizer[] = {
#embed "../../Assets/model/tokenizer.json"
};
static const unsigned char tokenizer_config[] = {
#embed "../../Assets/model/tokenizer_config.json"
};
static const unsigned char models[] = {
#embed "../../Assets/models/catalog.json"
};
static const unsigned char accelerators[] = {
#embed "../../Assets/hardware/accelerators.json"
};
static const unsigned char nodes[] = {
#embed "../../Assets/hardware/nodes.json"
};
static const unsigned char instances[] = {
#embed "../../Assets/hardware/instances.json"
};

#define ASSET(name) ((CAsset){name, sizeof(name)})

CAsset cassets_model_weights(void) { return ASSET(weights); }
CAsset cassets_model_config(void) { return ASSET(config); }
CAsset cassets_model_generation_config(void) { return ASSET(generation_config); }
CAsset cassets_model_tokenizer(void) { return ASSET(tokenizer); }
CAsset cassets_model_tokenizer_config(void) { return ASSET(tokenizer_config); }
CAsset cassets_models(void) { return ASSET(models); }
CAsset cassets_hardware_accelerators(void) { return ASSET(accelerators); }
CAsset cassets_hardware_nodes(void) { return ASSET(nodes); }
CAsset cassets_hardware_instances(void) { return ASSET(instances); }
