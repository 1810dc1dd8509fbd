// What the cost model ships: measured curves and engines' habits. Edits to the files rebuild this one.
#include "CAssets.h"

#pragma clang diagnostic ignored "-Wc23-extensions"

static const unsigned char utilisation[] = {
#embed "../../Assets/hardware/utilisation.json"
};
static const unsigned char cserve_engine[] = {
#embed "../../Assets/hardware/engines/cserve.json"
};
static const unsigned char vllm_engine[] = {
#embed "../../Assets/hardware/engines/vllm.json"
};
static const unsigned char vllm_v0_engine[] = {
#embed "../../Assets/hardware/engines/vllm-v0.json"
};
static const unsigned char trtllm_engine[] = {
#embed "../../Assets/hardware/engines/trtllm.json"
};

#define ASSET(name) ((CAsset){name, sizeof(name)})

CAsset cassets_utilisation(void) { return ASSET(utilisation); }
CAsset cassets_engine_cserve(void) { return ASSET(cserve_engine); }
CAsset cassets_engine_vllm(void) { return ASSET(vllm_engine); }
CAsset cassets_engine_vllm_v0(void) { return ASSET(vllm_v0_engine); }
CAsset cassets_engine_trtllm(void) { return ASSET(trtllm_engine); }
