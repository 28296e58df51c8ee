// Kubernetes objects as they come: what an API server hands out, or what stands in a manifest.

export interface ObjectMeta {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly [field: string]: unknown;
}

/** Any Kubernetes object. Its own fields stay as written; `readService` and its siblings give the typed, defaulted form. */
export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly [field: string]: unknown;
}

/** Names an object. `namespace` is `default` for namespaced kinds when absent. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace?: string;
  readonly name: string;
}

/** kubeproxy.config.k8s.io/v1alpha1, the fields that shape the dataplane. Durations are Go's (`24h0m0s`) or seconds. */
export interface KubeProxyConfiguration {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly mode?: string;
  readonly clusterCIDR?: string;
  readonly hostnameOverride?: string;
  readonly detectLocalMode?: string;
  readonly detectLocal?: { readonly bridgeInterface?: string; readonly interfaceNamePrefix?: string };
  readonly nodePortAddresses?: readonly string[] | null;
  readonly featureGates?: Readonly<Record<string, boolean>>;
  readonly iptables?: {
    readonly masqueradeBit?: number | null;
    readonly masqueradeAll?: boolean;
    readonly localhostNodePorts?: boolean | null;
    readonly [field: string]: unknown;
  };
  readonly nftables?: { readonly masqueradeBit?: number | null; readonly masqueradeAll?: boolean; readonly [field: string]: unknown };
  readonly ipvs?: {
    readonly scheduler?: string;
    readonly strictARP?: boolean;
    readonly tcpTimeout?: string | null;
    readonly tcpFinTimeout?: string | null;
    readonly udpTimeout?: string | null;
    /** Checked, and without effect: they keep virtual services of others from being removed, and here all are kube-proxy's own. */
    readonly excludeCIDRs?: readonly string[] | null;
    readonly [field: string]: unknown;
  };
  readonly conntrack?: {
    readonly maxPerCore?: number | null;
    readonly min?: number | null;
    readonly tcpEstablishedTimeout?: string | null;
    readonly tcpCloseWaitTimeout?: string | null;
    readonly udpTimeout?: string | null;
    readonly udpStreamTimeout?: string | null;
    readonly tcpBeLiberal?: boolean;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}
