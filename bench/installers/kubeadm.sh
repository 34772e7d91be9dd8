#!/usr/bin/env bash
# kubeadm as its documentation says, on hosts that are sent everything beforehand: no package manager, no registry.
# For a pod network every host gets a static bridge and routes to the others, which costs less than any plugin.
set -euo pipefail

on() { ssh -F "$BENCH_SSH_CONFIG" "$1" "$2"; }

# each "HOST…" FUNCTION: on all hosts at once; fails where one fails.
each() {
  local host pids=()
  for host in $1; do "$2" "$host" & pids+=($!); done
  for pid in "${pids[@]}"; do wait "$pid"; done
}

hosts="$BENCH_CONTROL_PLANES $BENCH_WORKERS"
first=${BENCH_CONTROL_PLANES%% *}
declare -A address number
count=0
for pair in $BENCH_ADDRESSES; do
  address[${pair%%=*}]=${pair#*=}
  number[${pair%%=*}]=$count
  count=$((count + 1))
done
endpoint=${address[$first]}:6443
ignore=--ignore-preflight-errors=all

copy() {
  local archive=worker
  [[ " $BENCH_CONTROL_PLANES " == *" $1 "* ]] && archive=control-plane
  on "$1" 'tar -xf - -C /' <"$KUBEADM_PAYLOAD/$archive.tar"
}

prepare() {
  local routes='' other
  for other in $hosts; do
    [[ $other == "$1" ]] || routes+="ip route add 10.244.${number[$other]}.0/24 via ${address[$other]}; "
  done
  on "$1" "sysctl -q -p /etc/sysctl.d/99-bench.conf
    mkdir -p /etc/cni/net.d
    cat >/etc/cni/net.d/10-bench.conflist <<'END'
{\"cniVersion\": \"1.0.0\", \"name\": \"bench\", \"plugins\": [
 {\"type\": \"bridge\", \"bridge\": \"cni0\", \"isGateway\": true, \"ipMasq\": true,
  \"ipam\": {\"type\": \"host-local\", \"subnet\": \"10.244.${number[$1]}.0/24\", \"routes\": [{\"dst\": \"0.0.0.0/0\"}]}},
 {\"type\": \"portmap\", \"capabilities\": {\"portMappings\": true}}]}
END
    $routes
    systemctl daemon-reload && systemctl enable -q kubelet && systemctl enable -q --now containerd
    for image in /var/tmp/images/*; do ctr --namespace k8s.io images import --local --digests=false \$image >/dev/null; done"
}

join() {
  on "$1" "kubeadm join $endpoint --token $KUBEADM_TOKEN --discovery-token-unsafe-skip-ca-verification \
    --node-name $1 $ignore $2"
}
worker() { join "$1" ''; }

echo "== copy"
each "$hosts" copy
echo "== prepare"
each "$hosts" prepare
echo "== init"
on "$first" 'cat >/etc/kubeadm.yaml' <"$KUBEADM_PAYLOAD/kubeadm.yaml"
on "$first" "kubeadm init --config /etc/kubeadm.yaml --upload-certs $ignore"
on "$first" 'cat /etc/kubernetes/admin.conf' >"$BENCH_KUBECONFIG"
echo "== control planes"
# One after the other: each waits until its member of etcd is a full one.
for host in ${BENCH_CONTROL_PLANES#"$first"}; do
  join "$host" "--control-plane --certificate-key $KUBEADM_CERTIFICATE_KEY --apiserver-advertise-address ${address[$host]}"
done
echo "== workers"
if [[ -n $BENCH_WORKERS ]]; then each "$BENCH_WORKERS" worker; fi
echo "== ready"
