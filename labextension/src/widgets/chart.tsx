import React from 'react';
import { share } from '../words/money';
import { Money } from './words';

/** One bar of a chart. */
export interface IBar {
  readonly key: string;
  /** The label of the bar, for example a day or a tool. */
  readonly name: string;
  /** The amount that the bar stands for, in nano-dollars; no bar is drawn for 0 or less. */
  readonly value: bigint;
  /** The figures of the bar as text, one for each column of the table that screen readers get. */
  readonly figures: readonly string[];
}

/**
 * A small bar chart: columns side by side for a time, or rows one below the other.
 *
 * A line below the chart shows the figures of the bar that the user points at or selects with the arrow keys. Screen
 * readers get a table.
 */
export function Chart(props: Chart.IProps): React.JSX.Element {
  const { bars, columns, isOverTime, label, summary } = props;
  const [at, setAt] = React.useState<number | null>(null);
  const caption = React.useId();
  const chosen = at === null ? null : (bars[at] ?? null);
  const most = bars.reduce(
    (max, bar) => (bar.value > max ? bar.value : max),
    0n
  );
  const onKey = (event: React.KeyboardEvent): void => {
    const step: Partial<Record<string, number>> = {
      ArrowLeft: -1,
      ArrowUp: -1,
      ArrowRight: 1,
      ArrowDown: 1
    };
    const by = step[event.key];
    if (by !== undefined) {
      event.preventDefault();
      const from = at ?? (by > 0 ? -1 : bars.length);
      setAt(Math.max(0, Math.min(bars.length - 1, from + by)));
    } else if (event.key === 'Escape' && at !== null) {
      event.stopPropagation();
      setAt(null);
    }
  };
  return (
    <figure className="aumos-Chart" aria-labelledby={caption}>
      <figcaption id={caption} className="aumos-Chart-label">
        {label}
      </figcaption>
      <div
        className="aumos-Chart-drawing"
        data-shape={isOverTime ? 'columns' : 'rows'}
        role="group"
        aria-label={label}
        tabIndex={0}
        onKeyDown={onKey}
        onBlur={() => setAt(null)}
        onPointerLeave={() => setAt(null)}
      >
        {isOverTime ? (
          <Columns bars={bars} most={most} at={at} onPoint={setAt} />
        ) : (
          <Rows bars={bars} most={most} at={at} onPoint={setAt} />
        )}
      </div>
      <p className="aumos-Chart-figures" aria-live="polite">
        {chosen ? (
          <>
            <bdi className="aumos-Chart-name">{chosen.name}</bdi>
            <span>{chosen.figures.join(' · ')}</span>
          </>
        ) : (
          summary
        )}
      </p>
      {/* A hidden table would still be as wide as its text; this wrapper limits it. */}
      <div className="aumos-Heard">
        <table>
          <caption>{label}</caption>
          <thead>
            <tr>
              {columns.map(column => (
                <th key={column} scope="col">
                  {column}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {bars.map(bar => (
              <tr key={bar.key}>
                <th scope="row">{bar.name}</th>
                {bar.figures.map((figure, index) => (
                  <td key={columns[index + 1] ?? index}>{figure}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </figure>
  );
}

/** A namespace for the types that belong to `Chart`. */
export namespace Chart {
  /** The properties of the component `Chart`. */
  export interface IProps {
    label: string;
    bars: readonly IBar[];
    /** The titles of the table's columns: first that of the labels, then those of the figures. */
    columns: readonly string[];
    isOverTime: boolean;
    /** The text of the line below the chart while the user has selected no bar. */
    summary: string;
  }
}

interface IBarsProps {
  bars: readonly IBar[];
  most: bigint;
  at: number | null;
  onPoint: (index: number) => void;
}

const HEIGHT = 56;
const WIDTH = 300;

/**
 * The bars as columns that fill the width. A column for a small amount is drawn higher than in proportion, to be
 * visible.
 */
function Columns({ bars, most, at, onPoint }: IBarsProps): React.JSX.Element {
  const step = WIDTH / Math.max(bars.length, 8);
  return (
    <svg
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {bars.map((bar, index) => {
        const height =
          bar.value > 0n ? Math.max(2, share(bar.value, most) * HEIGHT) : 0;
        return (
          <g
            key={bar.key}
            className="aumos-Chart-bar"
            data-chosen={index === at || undefined}
            onPointerEnter={() => onPoint(index)}
          >
            <rect
              className="aumos-Chart-ground"
              x={index * step}
              width={step}
              height={HEIGHT}
            />
            <rect
              className="aumos-Chart-value"
              x={index * step + step * 0.12}
              width={step * 0.76}
              y={HEIGHT - height}
              height={height}
            />
          </g>
        );
      })}
      <rect
        className="aumos-Chart-base"
        width={WIDTH}
        y={HEIGHT - 1}
        height={1}
      />
    </svg>
  );
}

/** The bars as rows with their labels beside them. They are HTML, since text in SVG cannot end in an ellipsis. */
function Rows({ bars, most, at, onPoint }: IBarsProps): React.JSX.Element {
  return (
    <div aria-hidden="true">
      {bars.map((bar, index) => (
        <div
          key={bar.key}
          className="aumos-Chart-row aumos-Chart-bar"
          data-chosen={index === at || undefined}
          onPointerEnter={() => onPoint(index)}
        >
          <span className="aumos-OneLine">
            <bdi>{bar.name}</bdi>
          </span>
          <svg
            viewBox={`0 0 100 10`}
            preserveAspectRatio="none"
            className="aumos-Chart-track"
          >
            <rect className="aumos-Chart-ground" width={100} height={10} />
            <rect
              className="aumos-Chart-value"
              width={
                bar.value > 0n ? Math.max(1, share(bar.value, most) * 100) : 0
              }
              height={10}
            />
          </svg>
          <Money amount={bar.value} />
        </div>
      ))}
    </div>
  );
}
