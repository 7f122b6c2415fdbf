import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { formatLeft } from '../widgets/ages';
import { useNow } from '../widgets/clock';

/** The refresh interval in milliseconds: the text counts seconds in the last minute. */
const PERIOD = 1000;

/** Shows how much longer a request waits for a decision, counting down. */
export function TimeLeft(props: {
  until: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const now = useNow(PERIOD);
  return (
    <span className="aumos-TimeLeft">
      {formatLeft(props.until, now, props.trans)}
    </span>
  );
}
