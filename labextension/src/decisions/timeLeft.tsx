import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { formatLeft } from '../widgets/ages';
import { useNow } from '../widgets/clock';

/** The refresh interval in milliseconds: the last minute counts seconds. */
const PERIOD = 1000;

/** How long an approval request still waits; it counts down while it is in the page. */
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
