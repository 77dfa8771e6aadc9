/** What there was at a moment, in seconds since the burst. */
export interface Sample {
  readonly at: number;
  readonly waiting: number;
  readonly wanted: number;
  readonly ready: number;
}

const WIDTH = 720;
const PANEL = 150;
const LEFT = 56;
const GAP = 40;
const INK = '#57606a';

interface Line {
  readonly color: string;
  readonly name: string;
  readonly of: (sample: Sample) => number;
}

/** An SVG of two panels: tasks that wait, and pods, over time. */
export function graph(samples: readonly Sample[]): string {
  const until = Math.max(1, ...samples.map(({ at }) => at));
  const height = 2 * PANEL + 3 * GAP;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
    panel(samples, until, GAP, 'tasks', [
      { color: '#0969da', name: 'in the queue or in hand', of: (one) => one.waiting },
    ]),
    panel(samples, until, PANEL + 2 * GAP, 'pods', [
      { color: '#bf8700', name: 'wanted', of: (one) => one.wanted },
      { color: '#1a7f37', name: 'ready', of: (one) => one.ready },
    ]),
    '</svg>',
    '',
  ].join('\n');
}

function panel(samples: readonly Sample[], until: number, top: number, unit: string, lines: readonly Line[]): string {
  const most = Math.max(1, ...samples.flatMap((sample) => lines.map(({ of }) => of(sample))));
  const right = WIDTH - 16;
  const bottom = top + PANEL;
  const x = (at: number): string => (LEFT + (at / until) * (right - LEFT)).toFixed(1);
  const y = (value: number): string => (bottom - (value / most) * PANEL).toFixed(1);
  const drawn = lines.map(({ color, of }) => {
    // A step: it was so until the next sample.
    const path = samples.map(
      (sample, index) =>
        `${index === 0 ? 'M' : `H${x(sample.at)} V`}${index === 0 ? `${x(sample.at)} ` : ''}${y(of(sample))}`,
    );
    return `<path d="${path.join(' ')}" fill="none" stroke="${color}" stroke-width="1.5"/>`;
  });
  const legend = lines.map(
    ({ color, name }, index) => `<text x="${LEFT + 8 + index * 90}" y="${top - 8}" fill="${color}">${name}</text>`,
  );
  return [
    `<path d="M${LEFT} ${top} V${bottom} H${right}" fill="none" stroke="${INK}"/>`,
    `<text x="${LEFT - 6}" y="${top + 10}" text-anchor="end" fill="${INK}">${most}</text>`,
    `<text x="${LEFT - 6}" y="${bottom}" text-anchor="end" fill="${INK}">0</text>`,
    `<text x="${LEFT - 6}" y="${(top + bottom) / 2}" text-anchor="end" fill="${INK}">${unit}</text>`,
    `<text x="${right}" y="${bottom + 16}" text-anchor="end" fill="${INK}">${Math.round(until)} s</text>`,
    ...legend,
    ...drawn,
  ].join('\n');
}
