import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';
import { formatLeft } from '../widgets/ages';

/** How often it is drawn again, in milliseconds: seconds are shown at the end. */
const PERIOD = 1000;

/** How long an approval request still waits; it counts down while it is in the page. */
export function TimeLeft(props: {
  until: string;
  trans: TranslationBundle;
}): React.JSX.Element {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    const timer = window.setInterval(() => setNow(Date.now()), PERIOD);
    return () => window.clearInterval(timer);
  }, []);
  return (
    <span className="aumos-TimeLeft">
      {formatLeft(props.until, now, props.trans)}
    </span>
  );
}
