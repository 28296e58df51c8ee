// Names of Pods by address, as the `kubernetes` plugin's `pods` has them. Apart from settings.ts: the command line lists them before it loads the DNS.

/** Whether `10-1-0-11.prod.pod.<zone>` answers: never, always, or when such a Pod runs there. */
export type PodNames = 'disabled' | 'insecure' | 'verified';

export const POD_NAMES: readonly PodNames[] = ['disabled', 'insecure', 'verified'];
