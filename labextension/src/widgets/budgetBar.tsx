import React from 'react';
import type { IFigures } from '../words/figures';

/**
 * A bar of the budget: the spent part, then, in a lighter shade, the held part.
 *
 * It is hidden from screen readers, since the text beside it has the same figures.
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

/** A namespace for `BudgetBar` statics. */
export namespace BudgetBar {
  /** The properties of the component. */
  export interface IProps {
    figures: IFigures;
    /** Whether to draw the warning marks. */
    marks?: boolean;
  }
}

function percent(fraction: number): string {
  return `${+(fraction * 100).toFixed(3)}%`;
}
