// What the test and its processes inside the namespaces tell each other: one JSON value a line, each request answered once by its id.

/** The namespaces of a run. Each has one process that listens and connects. */
export type Place = 'node' | 'pods' | 'outside';

export const PLACES: readonly Place[] = ['node', 'pods', 'outside'];

/** node:net and node:dgram know no SCTP. */
export type OpenProtocol = 'TCP' | 'UDP';

export interface Listener {
  readonly protocol: OpenProtocol;
  readonly address: string;
  readonly port: number;
}

/** One connection to open: the answer of whoever accepts it is waited for. */
export interface Attempt {
  readonly protocol: OpenProtocol;
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly port: number;
  /** Silence for so long counts as DROP. */
  readonly timeoutMs: number;
}

/** What a listener says to everyone who reaches it. */
export interface Greeting {
  readonly place: Place;
  /** Where the connection arrived, after all translations. */
  readonly address: string;
  readonly port: number;
  /** Whom the listener saw. */
  readonly source: string;
  readonly sourcePort: number;
}

export type Observation =
  | ({ readonly kind: 'reached' } & Greeting)
  /** ECONNREFUSED: somebody answered with ICMP port unreachable (or a RST: every address in play is listened on). */
  | { readonly kind: 'refused' }
  | { readonly kind: 'silent' }
  /** Anything else: the code of the error. */
  | { readonly kind: 'failed'; readonly code: string };

export type Request =
  /** Listen on exactly these: others are closed. */
  | { readonly id: number; readonly op: 'listen'; readonly listeners: readonly Listener[] }
  | { readonly id: number; readonly op: 'connect'; readonly attempts: readonly Attempt[] };

export type Response =
  | { readonly id: number; readonly observations: readonly Observation[] }
  | { readonly id: number; readonly error: string };
