/** The styles of what a page may show at its start. */
import './base.css';
import './counts.css';
import './receipts.css';
