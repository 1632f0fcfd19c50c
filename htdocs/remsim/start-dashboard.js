/** The dashboard as a page of the service itself: same origin, the browser's cookie. */

import { createRequest, queryText } from './api.js';
import { mount } from './dashboard.js';

const api = new URL('../../api/v1', import.meta.url).pathname;

mount(document.getElementById('dashboard'), {
	request: createRequest(api),
	streamUrl: async lastId => `${api}/stream?last_event_id=${lastId}`,
	exportUrl: (kind, query) => `${api}/export.${kind}${queryText(query)}`,
	title: 'Router',
	login: 'run “remsim link” on the router and open the link it prints',
	links: {
		wall: new URL('../../wall', import.meta.url).pathname,
		modems: new URL('../../modems', import.meta.url).pathname,
		modem: (id, tab) => `${new URL('../../modems', import.meta.url).pathname}#${new URLSearchParams({ modem: id, tab })}`
	}
});
