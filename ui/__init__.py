"""Streamlit pages. They speak HTTP to the server, import no other room, and keep nothing about approvals."""
