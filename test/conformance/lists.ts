// Which conformance cases do not run yet, and which are believed wrong. The first list only ever shrinks: a listed case that
// passes fails the run. Each entry gives its reason.

/** Cases by id that wait for a capability that svcplane does not have yet. */
export const waiting: Readonly<Record<string, string>> = {};

/** Modes that do not exist yet: their cases wait as a whole. */
export const waitingModes: Readonly<Record<string, string>> = {
  nftables: 'Faithful to kube-proxy: iptables and nftables modes, proven by data and by a real kernel',
};

/** Cases believed wrong, with the reason. Printed in the summary. */
export const disputed: Readonly<Record<string, string>> = {};
