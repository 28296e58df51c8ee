// Which conformance cases do not run yet, and which are believed wrong. The first list only ever shrinks: a listed case that
// passes fails the run. Each entry gives its reason.

/** Cases by id that wait for a capability that svcplane does not have yet. */
export const waiting: Readonly<Record<string, string>> = {};

/** Cases believed wrong, with the reason. Printed in the summary. */
export const disputed: Readonly<Record<string, string>> = {};
