/** Small pieces of text that the panel's sections are made of. */

import React from 'react';
import { oneLine } from '../words/labels';
import { formatUsd, shortUsd } from '../words/money';

/** An amount: short, with the exact one as its tooltip; or exact. */
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

/** Text of unknown origin, on one line of limited length, with its writing direction isolated. */
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

/** An error in a sentence, announced to screen readers; nothing if there is none. */
export function ErrorLine(props: {
  message: string | null;
}): React.JSX.Element | null {
  return props.message === null ? null : (
    <p className="aumos-ErrorLine" role="alert">
      {props.message}
    </p>
  );
}

/** A sentence in muted colour. */
export function Note(props: { children: React.ReactNode }): React.JSX.Element {
  return <p className="aumos-Note">{props.children}</p>;
}
