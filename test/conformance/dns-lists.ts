// Which cases of dns-coredns.json and dns-spec.json do not run, and why. A listed case or feature that passes all the same fails the run.

/** Tags of optional features that svcplane does not have. */
export const missingFeatures: Readonly<Record<string, string>> = {
  external: 'external zones (k8s_external) are not modelled; createClusterDns refuses the option',
};

/** Cases by id that are not answered as the data says. */
export const disputed: Readonly<Record<string, string>> = {};
