/** What is known of policies: asked for again and again while somebody looks. */

import { AskedData } from './asked-data.js';

const AGAIN_MS = { live: 5000, polling: 8000 };

export class PoliciesData extends AskedData {
	constructor(options, store, changed) {
		super(options, store, changed, 'policies', AGAIN_MS);
	}

	/** In the order in which they are asked. */
	get policies() {
		return this.view?.policies || [];
	}

	/** Whether what is in force was pushed, and stays as it is here. */
	get isPushed() {
		return this.view?.source === 'remote' && !this.view.is_overridden;
	}

	/** Put a text in force; it goes again unless it is kept within `confirmS` seconds. */
	apply(text, confirmS) {
		return this._options.request('policies', { method: 'PUT', body: { text, confirm_s: confirmS }, query: this.view?.etag ? { etag: this.view.etag } : {} });
	}

	happened(event) {
		if (/^(polic|routing|link|failover|config$)/.test(event.kind))
			this.soon();
	}
}
