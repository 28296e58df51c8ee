// Notices that manifests have changed. By looking at them again and again: editors that rename, ConfigMaps that swap links and network
// file systems that tell nobody all look the same this way.
import { statSync } from 'node:fs';

const INTERVAL_MS = 500;

export interface FileWatch {
  close(): void;
}

/**
 * Calls back when files have come, gone or changed, and have then kept still for one look: what is half written waits.
 * @param list what to look at, asked anew each time; may throw when there is nothing to list
 */
export function watchFiles(list: () => readonly string[], onChange: () => void): FileWatch {
  let known = stampOf(list);
  let last = known;
  const timer = setInterval(() => {
    const now = stampOf(list);
    const isStill = now === last;
    last = now;
    if (!isStill || now === known) return;
    known = now;
    onChange();
  }, INTERVAL_MS);
  return { close: () => clearInterval(timer) };
}

/** One text that differs when a file does. A file or directory that cannot be read is a state like any other. */
function stampOf(list: () => readonly string[]): string {
  try {
    return list().map(fileStamp).join('\n');
  } catch (error) {
    return String(error);
  }
}

function fileStamp(path: string): string {
  const { ino, size, mtimeMs } = statSync(path);
  return `${path} ${ino} ${size} ${mtimeMs}`;
}
