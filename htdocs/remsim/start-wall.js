/** The wall page of the service itself. */

import { createRequest } from './api.js';
import { mount } from './wall.js';

const api = new URL('../../api/v1', import.meta.url).pathname;
const query = new URLSearchParams(location.search);

mount(document.getElementById('wall'), {
	request: createRequest(api),
	streamUrl: async lastId => `${api}/stream?last_event_id=${lastId}`,
	login: 'run “remsim link” on the router and open the link it prints',
	modems: (query.get('modems') || '').split(',').filter(Boolean),
	layout: query.get('layout') || 'auto',
	scheme: query.get('scheme') || 'dark'
});
