// The built-in model, the catalogues and the workload presets, embedded so that the binary alone serves and plans. Edits to
// the files rebuild this one.
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

// One row per preset; their order is the order of lists.
static const unsigned char workload_chat[] = {
#embed "../../Assets/workloads/chat.json"
};
static const unsigned char workload_conversation[] = {
#embed "../../Assets/workloads/conversation.json"
};
static const unsigned char workload_rag[] = {
#embed "../../Assets/workloads/rag.json"
};
static const unsigned char workload_summarization[] = {
#embed "../../Assets/workloads/summarization.json"
};
static const unsigned char workload_long_summarization[] = {
#embed "../../Assets/workloads/long-summarization.json"
};
static const unsigned char workload_code_completion[] = {
#embed "../../Assets/workloads/code-completion.json"
};
static const unsigned char workload_code_generation[] = {
#embed "../../Assets/workloads/code-generation.json"
};
static const unsigned char workload_agent[] = {
#embed "../../Assets/workloads/agent.json"
};
static const unsigned char workload_batch[] = {
#embed "../../Assets/workloads/batch.json"
};
static const unsigned char workload_snowflake[] = {
#embed "../../Assets/workloads/snowflake.json"
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

CAsset cassets_workload(size_t index) {
    const CAsset workloads[] = {
        ASSET(workload_chat),
        ASSET(workload_conversation),
        ASSET(workload_rag),
        ASSET(workload_summarization),
        ASSET(workload_long_summarization),
        ASSET(workload_code_completion),
        ASSET(workload_code_generation),
        ASSET(workload_agent),
        ASSET(workload_batch),
        ASSET(workload_snowflake),
    };
    return index < sizeof(workloads) / sizeof(workloads[0]) ? workloads[index] : (CAsset){NULL, 0};
}
