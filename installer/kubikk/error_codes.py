"""The failures that Kubikk knows by a code: what each means and what to do. docs/errors.md is made from this table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Code:
    """A known failure.

    Attributes:
        id: stable; never given to another failure.
        title: what failed, without a full stop.
        recognised: what it is told by.
        cause: what is usually behind it.
        remedy: what to do; ``{host}`` and ``{unit}`` stand for the host's and the systemd unit's name.
    """

    id: str
    title: str
    recognised: str
    cause: str
    remedy: str

    def advice(self, host: str = "HOST", unit: str = "UNIT") -> str:
        """The remedy for one host and unit."""
        return self.remedy.format(host=host, unit=unit)


UNREACHABLE = Code(
    "KBK-101",
    "A host does not answer over SSH",
    "the connection is refused, times out or breaks",
    "The host is off or hangs, its address in the cluster file is wrong, sshd does not run, or a firewall is in "
    "between.",
    "Check that {host} is on and that `ssh` reaches it with the same address, port and user. Then run the same "
    "command "
    "again: it goes on where it stopped.",
)
HOST_KEY_CHANGED = Code(
    "KBK-102",
    "A host's key has changed",
    "the key that sshd shows differs from the one in known_hosts, or is revoked there",
    "The host was installed anew, another host has got its address, or somebody listens in.",
    "If you know why it changed, remove the old key with `ssh-keygen -R ADDRESS`, connect once with `ssh` and "
    "compare the "
    "new fingerprint with the one on the host's console. If you do not, do not connect.",
)
HOST_KEY_UNKNOWN = Code(
    "KBK-103",
    "A host's key is not known",
    "no entry of known_hosts names the host",
    "Nobody has connected to the host from here yet. Kubikk never accepts a key by itself.",
    "Connect once with `ssh` and compare the fingerprint, or put the key into known_hosts.",
)
LOGIN_REFUSED = Code(
    "KBK-104",
    "A host does not let the user in",
    "sshd accepts none of the keys that are offered",
    "The public key is not in the user's authorized_keys, the user is another one, or the key is not loaded in "
    "the agent.",
    "Put the public key into ~/.ssh/authorized_keys of `ssh.user` on {host}, or name another key with `ssh.key`.",
)
SUDO_REFUSED = Code(
    "KBK-105",
    "sudo does not make the user root",
    "sudo asks for a password that was not given, refuses the one given, or does not know the user",
    "The user that logs in may not use sudo, or not without a password.",
    "Give the password with --ask-become-pass, allow sudo without one (NOPASSWD) in /etc/sudoers.d on {host}, or "
    "log in as "
    "root (`ssh.user`).",
)
PORT_CLOSED = Code(
    "KBK-106",
    "Hosts do not reach each other",
    "a port that one host needs of another does not answer while something listens there",
    "A firewall on the host or between hosts.",
    "Open the ports that the message names between the hosts of the cluster.",
)
DISK_FULL = Code(
    "KBK-201",
    "The disk is full",
    "the kernel's ENOSPC or EDQUOT, less room than what is to be sent needs, or preflight's limits for /var/lib "
    "and /opt",
    "Logs, images or data of something else fill the file system that the message names.",
    "Make room on {host} or mount a larger disk there. Then run the same command again: nothing was left half-written.",
)
CLOCK_SKEW = Code(
    "KBK-202",
    "A host's clock is wrong",
    "preflight compares it with this machine's clock: more than 5 s apart",
    "No NTP client runs on the host or on this machine.",
    "Run an NTP client (chrony, systemd-timesyncd) on {host} and on this machine.",
)
PORT_TAKEN = Code(
    "KBK-203",
    "A port is taken",
    "preflight finds another program listening, or a component's journal says `address already in use`",
    "Another service listens where a component of Kubernetes is to listen.",
    "Find it with `ss -ltnp` on {host}, and stop it or give it another port.",
)
NOT_FIT = Code(
    "KBK-204",
    "A host is not fit for the cluster",
    "another check of preflight finds an error",
    "The message says which; docs/preflight.md lists all checks.",
    "Do what the message says, and see with `kubikk preflight` whether it helped.",
)
ARTIFACT_UNREACHABLE = Code(
    "KBK-301",
    "An artifact cannot be had",
    "its address does not answer, answers with an error, or has no such file",
    "This machine has no way to the artifact's address, or the mirror lacks the file.",
    "Check the address from this machine, or set `artifacts.source` in the cluster file to another source: "
    "docs/artifacts.md.",
)
CHECKSUM_WRONG = Code(
    "KBK-302",
    "A checksum is wrong",
    "the sha256 of what was downloaded, or of what arrived on a host, is not the expected one",
    "A proxy or mirror serves another file, or a file was damaged on its way or on a disk. It was not installed.",
    "Run the same command again. If it stays so, look at the mirror or proxy that the message names, and at the "
    "disks of "
    "this machine and of {host}.",
)
IMAGE_MISSING = Code(
    "KBK-303",
    "A container image is missing",
    "the runtime refuses an image's archive, or a pod waits with ErrImagePull, ImagePullBackOff or ErrImageNeverPull",
    "The image was removed on the host, or a pod wants an image that is not shipped and no registry has.",
    "Run `kubikk up` again: it imports the images it ships where they are missing. If it stays so, look at what "
    "removes "
    "them on {host} (`crictl images`), or import the pod's image there.",
)
PACKAGE_MISSING = Code(
    "KBK-304",
    "A package cannot be installed",
    "the distribution's package manager fails",
    "The host reaches no package mirror, or another package manager is at work there.",
    "Install the packages that the message names on {host} by hand, or see to its package sources. Then run the "
    "same "
    "command again.",
)
ETCD_NO_QUORUM = Code(
    "KBK-401",
    "etcd has no quorum",
    "a member that runs says that there is no leader, too few other members are healthy to restart one, or the API "
    "server gets no answer from any member",
    "More than half of the members are down, hang, or cannot reach each other on port 2380.",
    "Bring the other members back: `kubikk status` tells which do not run, `journalctl -u etcd` on them tells "
    "why. Nothing "
    "is lost as long as their data is; do not delete it. If they are gone for good: docs/etcd.md.",
)
API_UNHEALTHY = Code(
    "KBK-402",
    "The API server is not healthy",
    "its /readyz does not answer with ok in time, or kubectl on a control-plane host gets no answer",
    "A setting that kube-apiserver refuses, etcd that does not answer, or a host that is too slow.",
    "Read its last journal lines above (`journalctl -u kube-apiserver` on {host}) and mend what they name: a "
    "flag is in "
    "`components.kube-apiserver.flags` of the cluster file. Then run `kubikk up` again.",
)
NODE_NOT_READY = Code(
    "KBK-403",
    "A node is not Ready",
    "the node's Ready condition; the message is its kubelet's own, which passes on what runtime and pod network say",
    "kubelet, the container runtime or the pod network does not work on that host.",
    "Look at `journalctl -u kubelet -u containerd -u flanneld` on {host}, and at /etc/cni/net.d there if the "
    "message speaks "
    "of the network.",
)
UNIT_UNHEALTHY = Code(
    "KBK-404",
    "A component is not healthy",
    "its health check fails for as long as the role waits",
    "A setting that the component refuses, or something that it needs and that does not answer.",
    "Read its last journal lines above (`journalctl -u {unit}` on {host}) and mend what they name: settings are in "
    "`components` of the cluster file. Then run `kubikk up` again.",
)
PODS_UNAVAILABLE = Code(
    "KBK-405",
    "Pods of an addon do not run",
    "a Deployment has fewer pods available than it wants",
    "No node has room for them, a taint keeps them away, or they fail.",
    "See `kubectl -n kube-system describe pods` and `kubectl -n kube-system logs` of the pods that the message names.",
)
NODE_NOT_DRAINED = Code(
    "KBK-406",
    "The pods of a node cannot be moved",
    "`kubectl drain` does not end within `kubernetes.drain_timeout`; the node takes pods again, as before",
    "A PodDisruptionBudget holds a pod back, a pod has no controller that would start it elsewhere, or it takes too "
    "long to end.",
    "Make room for what the budget holds back (another replica, another node), give pods without a controller one or "
    "delete them, or raise `kubernetes.drain_timeout`. Then run the same command again.",
)
HOST_BUSY = Code(
    "KBK-407",
    "Another run is changing the host",
    "a step of a run that was killed, or of another program, holds the host's lock for minutes",
    "A package installation or an upload that hangs.",
    "See what the process that the message names waits for on {host}, and end it if it is stuck. Then run the same "
    "command again.",
)
SNAPSHOT_FAILED = Code(
    "KBK-411",
    "A snapshot of etcd is not good",
    "etcd gives none, a member that is started on it holds something else than etcd, or it cannot be restored",
    "The member that was asked has a fault or lags behind, or the file was changed or cut off after it was made.",
    "See with `kubikk status` whether etcd is well on {host}, and use another member's snapshot or an older one: "
    "docs/etcd.md.",
)
QUORUM_AT_RISK = Code(
    "KBK-412",
    "It would cost etcd its quorum",
    "computed from the members and their health before anything is done",
    "So many members are down, or so few would be left, that what is asked for would stop the cluster.",
    "Bring members back first (`kubikk status` tells which do not run), or add some. If they are lost for good: "
    "docs/etcd.md, lost quorum.",
)
CERTIFICATE_EXPIRED = Code(
    "KBK-501",
    "A certificate has expired",
    "the date in an authority on this machine or in kubelet's client certificate on a host, or a component's "
    "x509 error",
    "The host was off for longer than its certificate was valid, an authority is ten years old, or a clock is wrong.",
    "Check the clocks first, then `kubikk certs show`. `kubikk up` issues all but the authorities anew; "
    "docs/day-two.md says what else there is to do.",
)
UPGRADE_NEEDED = Code(
    "KBK-601",
    "A version cannot be reached in this way",
    "the versions that hosts run are compared with the wanted one, by Kubernetes' version skew policy",
    "The cluster file names another version than the hosts run, a minor version would be skipped, or a host would "
    "go back to an older one.",
    "Use `kubikk upgrade --to VERSION`, one minor version at a time. There is no way back to an older version but "
    "a snapshot of etcd: docs/day-two.md.",
)
ROLLED_BACK = Code(
    "KBK-602",
    "A host was given back what it ran before",
    "a component does not get healthy during an upgrade",
    "The new version refuses a setting of the cluster file, or the host has another trouble that the message names.",
    "Read its last journal lines above and mend what they name; settings are in `components` of the cluster file. "
    "Hosts that were upgraded before stay so, which is a mix of versions that Kubernetes supports. Then run "
    "`kubikk upgrade` again: it goes on with {host}.",
)

CODES: tuple[Code, ...] = (
    *(UNREACHABLE, HOST_KEY_CHANGED, HOST_KEY_UNKNOWN, LOGIN_REFUSED, SUDO_REFUSED, PORT_CLOSED),
    *(DISK_FULL, CLOCK_SKEW, PORT_TAKEN, NOT_FIT),
    *(ARTIFACT_UNREACHABLE, CHECKSUM_WRONG, IMAGE_MISSING, PACKAGE_MISSING),
    *(ETCD_NO_QUORUM, API_UNHEALTHY, NODE_NOT_READY, UNIT_UNHEALTHY, PODS_UNAVAILABLE, NODE_NOT_DRAINED, HOST_BUSY),
    *(SNAPSHOT_FAILED, QUORUM_AT_RISK),
    CERTIFICATE_EXPIRED,
    *(UPGRADE_NEEDED, ROLLED_BACK),
)
"""All of them, in the order of their ids."""
