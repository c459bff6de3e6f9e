module inference-mesh/simcluster/tools/ai-gateway

go 1.26.0

require github.com/envoyproxy/ai-gateway v1.0.0
