/** Small components for text: amounts, lines, errors and notes. */

import React from 'react';
import { oneLine } from '../words/labels';
import { formatUsd, shortUsd } from '../words/money';

/** An amount of money: exact if `isExact`, else rounded with the exact amount as its tooltip. */
export function Money(props: {
  amount: string | bigint;
  isExact?: boolean;
}): React.JSX.Element {
  const exact = formatUsd(props.amount);
  return (
    <span className="aumos-Money" title={exact}>
      {props.isExact ? exact : shortUsd(props.amount)}
    </span>
  );
}

/**
 * Text of unknown origin on one line, which ends in an ellipsis if it is too long. Its writing direction is isolated
 * from the text around it.
 */
export function OneLine(props: {
  text: string;
  className?: string;
}): React.JSX.Element {
  const line = oneLine(props.text);
  return (
    <span
      className={['aumos-OneLine', props.className].filter(Boolean).join(' ')}
      title={line}
    >
      <bdi>{line}</bdi>
    </span>
  );
}

/** An error message, which screen readers announce; nothing if the message is null. */
export function ErrorLine(props: {
  message: string | null;
}): React.JSX.Element | null {
  return props.message === null ? null : (
    <p className="aumos-ErrorLine" role="alert">
      {props.message}
    </p>
  );
}

/** A sentence in a muted colour, for hints. */
export function Note(props: { children: React.ReactNode }): React.JSX.Element {
  return <p className="aumos-Note">{props.children}</p>;
}
