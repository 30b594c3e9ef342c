"""Physics and simulated time: sites, links, propagation, fading, and the medium that says who is heard."""
