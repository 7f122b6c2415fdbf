import React from 'react';
import { Notation } from '../words/notation';

/** How dates and counts are written wherever it is given; as the browser does where it is not. */
export const NotationContext = React.createContext(new Notation());

/** How dates and counts are written here. */
export function useNotation(): Notation {
  return React.useContext(NotationContext);
}
