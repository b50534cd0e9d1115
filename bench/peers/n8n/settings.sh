# Read by `install` and `run`: n8n says nothing to its maker, and the broker of its code runner listens on loopback.
# shellcheck shell=bash
export N8N_BLOCK_ENV_ACCESS_IN_NODE=false N8N_DIAGNOSTICS_ENABLED=false N8N_VERSION_NOTIFICATIONS_ENABLED=false \
    N8N_TEMPLATES_ENABLED=false N8N_PERSONALIZATION_ENABLED=false N8N_RUNNERS_BROKER_LISTEN_ADDRESS=127.0.0.1 \
    N8N_LISTEN_ADDRESS=127.0.0.1 N8N_LOG_LEVEL=warn N8N_RUNNERS_BROKER_PORT
N8N_RUNNERS_BROKER_PORT=$(free_port)
n8n() { node "$PEERS_HOME/n8n/node_modules/n8n/bin/n8n" "$@"; }
