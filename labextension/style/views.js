/** The styles of the views that are loaded when they are first shown. */
import './panel.css';
import './pieces.css';
import './start.css';
import './trust.css';
import './budget.css';
import './holds.css';
import './gateway.css';
import './notebooks.css';
import './cells.css';
import './waiting.css';
import './decisions.css';
import './auditBrief.css';
import './audit.css';
import './auditFilters.css';
import './auditDetail.css';
import './charts.css';
