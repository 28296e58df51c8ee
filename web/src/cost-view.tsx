// The O(n) and the O(1): what a new connection costs by number of Services, measured here and now.
import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { type CostPoint, ROUNDS, SERVICE_COUNTS, VARIANTS, type Variant } from './cost-measure.ts';
import { startCostWorker } from './start-cost-worker.ts';

const HEIGHT = 380;
const COLOURS: Readonly<Record<Variant['mode'], string>> = { iptables: '--iptables', nftables: '--nftables', ipvs: '--ipvs' };

export function CostView() {
  const [points, setPoints] = useState<readonly CostPoint[]>([]);
  const [isRunning, setRunning] = useState(false);
  const worker = useRef<Worker>(undefined);
  useEffect(() => () => worker.current?.terminate(), []);
  const stop = () => {
    worker.current?.terminate();
    worker.current = undefined;
    setRunning(false);
  };
  const start = () => {
    stop();
    setPoints([]);
    setRunning(true);
    const started = startCostWorker();
    started.onmessage = ({ data }: MessageEvent<CostPoint | 'done'>) => {
      if (data === 'done') stop();
      else setPoints((before) => [...before, data]);
    };
    worker.current = started;
  };
  return (
    <div class="cost-view">
      <div class="walk-controls" role="toolbar" aria-label="Measurement">
        <button type="button" class="primary" onClick={isRunning ? stop : start}>
          {isRunning ? '❚❚ Stop' : 'Measure in this browser'}
        </button>
        <span class="fine" role="status">
          {isRunning
            ? `${points.length} of ${SERVICE_COUNTS.length} numbers of Services`
            : points.length === 0
              ? 'The first packet of a new connection to the last of so many Services. Takes some seconds.'
              : `${ROUNDS} rounds, all variants in turn; a fast one of each (first quartile)`}
        </span>
      </div>
      <Chart points={points} />
      <ReadingAid points={points} />
      <CostTable points={points} />
    </div>
  );
}

function Chart({ points }: { readonly points: readonly CostPoint[] }) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  useEffect(() => {
    const { current } = place;
    if (current === null) return undefined;
    const draw = () => {
      chart.current?.destroy();
      chart.current = new uPlot(chartOptions(current), chartData(points), current);
    };
    draw();
    const observer = new ResizeObserver(() => chart.current?.setSize({ width: current.clientWidth, height: HEIGHT }));
    observer.observe(current);
    const themes = new MutationObserver(draw);
    themes.observe(document.documentElement, { attributeFilter: ['data-theme'] });
    return () => {
      observer.disconnect();
      themes.disconnect();
      chart.current?.destroy();
      chart.current = undefined;
    };
  }, [points]);
  return (
    <div class="chart" ref={place} role="img" aria-label="Nanoseconds a packet by number of Services; the table below has the numbers" />
  );
}

function chartOptions(element: HTMLElement): uPlot.Options {
  const style = getComputedStyle(element);
  const colour = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    stroke: style.color,
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { stroke: colour('--line') },
    font: '14px system-ui',
  };
  return {
    width: element.clientWidth,
    height: HEIGHT,
    legend: { live: false, markers: { width: 3, dash: (_chart, index) => (VARIANTS[index - 1]?.engine === 'js' ? 'dashed' : 'solid') } },
    scales: {
      x: { time: false, distr: 3, range: () => [SERVICE_COUNTS[0] ?? 10, SERVICE_COUNTS.at(-1) ?? 10_000] },
      y: { distr: 3, range: (_chart, min, max) => [Math.min(min ?? 100, 100), Math.max(max ?? 1e6, 1e6)] },
    },
    axes: [
      {
        ...axis,
        label: 'Services',
        labelFont: '14px system-ui',
        values: (_chart, ticks) => ticks.map((tick) => (SERVICE_COUNTS.includes(tick) ? tick.toLocaleString('en') : '')),
        splits: () => SERVICE_COUNTS,
      },
      {
        ...axis,
        splits: () => [1e2, 1e3, 1e4, 1e5, 1e6, 1e7],
        label: 'time for a packet',
        labelFont: '14px system-ui',
        size: 80,
        values: (_chart, ticks) => ticks.map((tick) => duration(tick)),
      },
    ],
    series: [
      { label: 'Services' },
      ...VARIANTS.map(({ mode, engine }) => ({
        label: `${mode}, ${engine === 'wasm' ? 'WebAssembly' : 'TypeScript'}`,
        stroke: colour(COLOURS[mode]),
        width: 3,
        ...(engine === 'js' ? { dash: [6, 5] } : {}),
        points: { size: 8 },
        value: (_chart: uPlot, value: number | null) => (value === null ? '–' : duration(value)),
      })),
    ],
  };
}

function chartData(points: readonly CostPoint[]): uPlot.AlignedData {
  const values = (index: number) =>
    points.map(({ nsPerPacket }) => (Number.isFinite(nsPerPacket[index]) ? (nsPerPacket[index] ?? null) : null));
  return [points.map(({ serviceCount }) => serviceCount), ...VARIANTS.map((_, index) => values(index))];
}

function ReadingAid({ points }: { readonly points: readonly CostPoint[] }) {
  const [first] = points;
  const last = points.at(-1);
  const growth = (index: number) => (last?.nsPerPacket[index] ?? Number.NaN) / (first?.nsPerPacket[index] ?? Number.NaN);
  const isReadable = first !== undefined && last !== undefined && last !== first;
  return (
    <p class="aid">
      {isReadable
        ? `From ${first.serviceCount} to ${last.serviceCount.toLocaleString('en')} Services a packet takes ${times(growth(0))} as long in iptables mode, ${times(growth(2))} in nftables mode and ${times(growth(4))} in IPVS mode (WebAssembly): a list is O(n), a hash table O(1).`
        : 'iptables asks one Service after the other; nftables and IPVS look the address up in a hash table.'}
    </p>
  );
}

function times(factor: number): string {
  return Number.isFinite(factor) ? `${factor < 10 ? factor.toFixed(1) : Math.round(factor)} times` : 'an unknown time';
}

function CostTable({ points }: { readonly points: readonly CostPoint[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: wide tables scroll
    <section class="scroll" tabIndex={0} aria-label="Time for a packet">
      <table>
        <thead>
          <tr>
            <th scope="col">Services</th>
            {VARIANTS.map(({ mode, engine }) => (
              <th scope="col" key={mode + engine}>
                {mode} <small>{engine === 'wasm' ? 'WebAssembly' : 'TypeScript'}</small>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {SERVICE_COUNTS.map((serviceCount, row) => (
            <tr key={serviceCount}>
              <th scope="row">{serviceCount.toLocaleString('en')}</th>
              {VARIANTS.map(({ mode, engine }, column) => (
                <td key={mode + engine}>{durationOrDash(points[row]?.nsPerPacket[column])}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function durationOrDash(ns: number | undefined): string {
  return ns === undefined || Number.isNaN(ns) ? '–' : duration(ns);
}

function duration(ns: number): string {
  if (ns < 1000) return `${Math.round(ns)} ns`;
  return ns < 1e6 ? `${(ns / 1000).toPrecision(3)} µs` : `${(ns / 1e6).toPrecision(3)} ms`;
}
