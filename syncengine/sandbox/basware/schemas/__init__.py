"""What a body must look like to be accepted, one table per schema of Basware's OpenAPI document."""
