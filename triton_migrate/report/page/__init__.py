"""The document as a page: one self-contained report.html, and index.html over several of them."""
