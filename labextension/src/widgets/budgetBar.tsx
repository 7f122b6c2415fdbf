import React from 'react';
import type { IFigures } from '../words/figures';

/**
 * A bar that stands for a whole budget. One part of it is what is spent; next to that, in a lighter shade, is what is
 * held.
 *
 * Screen readers skip it, since the text beside it has the same figures.
 */
export function BudgetBar(props: BudgetBar.IProps): React.JSX.Element {
  const { figures, marks } = props;
  return (
    <span
      className="aumos-BudgetBar"
      data-severity={figures.severity}
      aria-hidden="true"
    >
      {figures.spentShare > 0 && (
        <span
          className="aumos-BudgetBar-spent"
          style={{ width: percent(figures.spentShare) }}
        />
      )}
      {figures.heldShare > 0 && (
        <span
          className="aumos-BudgetBar-held"
          style={{ width: percent(figures.heldShare) }}
        />
      )}
      {marks &&
        figures.marks.map(mark => (
          <span
            key={mark}
            className="aumos-BudgetBar-mark"
            style={{ left: percent(mark) }}
          />
        ))}
    </span>
  );
}

/** A namespace for the types that belong to `BudgetBar`. */
export namespace BudgetBar {
  /** The properties of the component `BudgetBar`. */
  export interface IProps {
    figures: IFigures;
    /** Whether the warning marks are drawn on the bar; false if omitted. */
    marks?: boolean;
  }
}

function percent(fraction: number): string {
  return `${+(fraction * 100).toFixed(3)}%`;
}
