#!/usr/bin/env bash
# The floor: what a cluster consists of is copied with tar over ssh, and its units are started. Nothing is looked at first,
# and nothing is written down. FLOOR_PAYLOAD has for each host HOST.tar, HOST.units; objects.json; kubeconfig.
set -euo pipefail

on() { ssh -F "$BENCH_SSH_CONFIG" "$1" "$2"; }

# each "HOST…" FUNCTION: on all hosts at once; fails where one fails.
each() {
  local host pids=()
  for host in $1; do "$2" "$host" & pids+=($!); done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

# Settings that are the machine's own cannot be set on a lab's host: sysctl's answer counts for nothing.
copy() { on "$1" 'tar --numeric-owner -xf - -C / && systemctl daemon-reload && { sysctl -qep /etc/sysctl.d/99-kubikk.conf || true; }' \
  <"$FLOOR_PAYLOAD/$1.tar"; }
etcd() { on "$1" 'systemctl start etcd'; }
servers() { on "$1" 'systemctl start kube-apiserver kube-controller-manager kube-scheduler
  for _ in $(seq 600); do
    curl -sf --cacert /etc/kubernetes/kube-apiserver/ca.crt https://127.0.0.1:6443/readyz && exit
    sleep 0.2
  done; exit 1'; }
# Not waited for: flanneld fails, and is started again, until the node is registered.
node() { on "$1" "systemctl start containerd
  for image in /opt/kubikk/image-*/*/*.tar; do ctr --namespace k8s.io images import --local --digests=false \$image; done
  systemctl start --no-block $(cat "$FLOOR_PAYLOAD/$1.units")"; }

first=${BENCH_CONTROL_PLANES%% *}

echo "== copy"
each "$BENCH_CONTROL_PLANES $BENCH_WORKERS" copy
echo "== etcd"
each "$BENCH_CONTROL_PLANES" etcd
echo "== control plane"
each "$BENCH_CONTROL_PLANES" servers
echo "== objects"
on "$first" 'kubectl --kubeconfig /etc/kubernetes/admin.conf apply --server-side -f -' <"$FLOOR_PAYLOAD/objects.json"
echo "== nodes"
each "$BENCH_CONTROL_PLANES $BENCH_WORKERS" node
echo "== ready"
# Nodes register themselves, which takes a moment.
on "$first" "for _ in \$(seq 300); do
    kubectl --kubeconfig /etc/kubernetes/admin.conf label nodes --overwrite $BENCH_CONTROL_PLANES \
      node-role.kubernetes.io/control-plane= && exit
    sleep 0.2
  done; exit 1"
cp "$FLOOR_PAYLOAD/kubeconfig" "$BENCH_KUBECONFIG"
